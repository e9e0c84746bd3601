// A real nginx in front of a server, with a plain `proxy_pass` and whatever settings are to be tried.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./instance.ts";

export interface Nginx {
  readonly url: string;
  stop(): Promise<void>;
}

const CANDIDATES = [process.env["TAILRACE_NGINX"], "/usr/sbin/nginx", "/usr/bin/nginx"];

/** nginx with a plain `proxy_pass` to `upstream`, and `settings` for all its servers. */
export function startNginx(upstream: string, settings: string): Promise<Nginx> {
  return startNginxWith(
    (port) => `${settings}
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass ${upstream}; }
  }`,
  );
}

/** @param servers gives what stands in the block `http`, for the port that it is to listen on */
export async function startNginxWith(servers: (port: number) => string, givenPort?: number): Promise<Nginx> {
  const binary = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (binary === undefined)
    throw new Error("There is no nginx on this machine: install it, or name it in TAILRACE_NGINX.");
  const folder = await mkdtemp(join(tmpdir(), "tailrace-nginx-"));
  const port = givenPort ?? (await freePort());
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((each) => `${each}_temp_path ${join(folder, each)};`)
    .join("\n");
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off;
pid ${join(folder, "pid")};
error_log ${join(folder, "error.log")};
events {}
http {
  access_log off;
  ${temporary}
  ${servers(port)}
}
`,
  );
  const child = spawn(binary, ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const until = performance.now() + 60_000;
  while (
    !(await fetch(`${url}/api/health`).then(
      (response) => response.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || performance.now() > until) throw new Error("nginx did not start.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}
