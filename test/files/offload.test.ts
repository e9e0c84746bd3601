// A real nginx that sends the file itself, told by `x-accel-redirect`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diskFile } from "../../src/node/disk-file.ts";
import { file } from "../../src/reply/file.ts";
import { exchange, startWireServer, type WireServer } from "./wire.ts";

const NGINX = [process.env["TAILRACE_NGINX"], "/usr/sbin/nginx", "/usr/bin/nginx"].find(
  (path): path is string => path !== undefined && existsSync(path),
);
const NAME = "ä b%.txt";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.runIf(NGINX !== undefined)("offload to nginx", () => {
  let folder: string;
  let wire: WireServer;
  let port: number;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tailrace-offload-"));
    await mkdir(join(folder, "files"));
    await writeFile(join(folder, "files", NAME), "0123456789");
    wire = await startWireServer((request) =>
      file(request, diskFile(join(folder, "files", NAME)), {
        disposition: "attachment",
        cacheControl: "private",
        offload: { header: "x-accel-redirect", path: `/protected/${NAME}` },
      }),
    );
    port = await freePort();
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (each) => `${each}_temp_path ${join(folder, each)};`,
    );
    const config = `daemon off; master_process off; pid ${join(folder, "pid")}; error_log ${join(folder, "error.log")};
events {}
http { access_log off; ${temporary.join(" ")}
server { listen 127.0.0.1:${port};
location / { proxy_pass http://127.0.0.1:${wire.port}; }
location /protected/ { internal; alias ${join(folder, "files")}/; } } }
`;
    await writeFile(join(folder, "nginx.conf"), config);
    const child = spawn(NGINX ?? "", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
    stop = async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    };
    for (let attempt = 0; attempt < 1_200; attempt++) {
      if (
        await fetch(`http://127.0.0.1:${port}/`).then(
          () => true,
          () => false,
        )
      )
        return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("nginx did not start.");
  });
  afterAll(async () => {
    await stop();
    await wire.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("sends the file with our headers and its own length, validators and ranges", async () => {
    const whole = await exchange(port, "GET", "/x");
    expect([whole.status, whole.body.toString(), whole.isWhole]).toEqual([200, "0123456789", true]);
    expect(whole.headers.get("content-disposition")).toContain("filename*=UTF-8''%C3%A4%20b%25.txt");
    expect(whole.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(whole.headers.get("cache-control")).toBe("private");
    expect(whole.headers.has("x-accel-redirect")).toBe(false);
    const part = await exchange(port, "GET", "/x", [["range", "bytes=2-4"]]);
    expect([part.status, part.body.toString()]).toEqual([206, "234"]);
    const etag = whole.headers.get("etag") ?? "";
    expect((await exchange(port, "GET", "/x", [["if-none-match", etag]])).status).toBe(304);
    expect((await exchange(port, "HEAD", "/x")).headers.get("content-length")).toBe("10");
  });
});
