// Parts that are joined before they are whole, on disk, with a SIGKILL in between.

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ServerProcess } from "./server-process.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const PARTS = [randomBytes(700_000), randomBytes(900_000)];
const WHOLE = Buffer.concat(PARTS);

let folder: string;
let server: ServerProcess;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-concat-"));
  server = new ServerProcess(folder);
  await server.start();
});
afterEach(async () => {
  await server.kill();
  await rm(folder, { recursive: true });
});

async function create(headers: Record<string, string>): Promise<string> {
  const response = await fetch(server.endpoint, { method: "POST", headers: { ...VERSION, ...headers } });
  expect(response.status).toBe(201);
  return response.headers.get("location")!;
}

function append(address: string, offset: number, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  const headers = { ...VERSION, "content-type": "application/offset+octet-stream", "upload-offset": String(offset) };
  return fetch(new URL(address, server.endpoint), { method: "PATCH", headers, body });
}

test.each([
  ["the last part", "patch"],
  ["a question about the final upload, after a kill", "head"],
])("%s joins a final upload that was created first", async (_what, by) => {
  const parts: string[] = [];
  for (const part of PARTS) {
    parts.push(await create({ "upload-concat": "partial", "upload-length": String(part.length) }));
  }
  const [one = "", two = ""] = parts;
  const final = await create({ "upload-concat": `final;${one} ${two}` });
  const ask = (): Promise<Response> => fetch(new URL(final, server.endpoint), { method: "HEAD", headers: VERSION });
  const complete = server.next("complete");
  expect((await append(two, 0, PARTS[1]!)).status).toBe(204);
  expect((await append(one, 0, PARTS[0]!.subarray(0, 300_000))).status).toBe(204);
  if (by === "head") {
    await server.kill();
    await server.start();
  }
  expect((await ask()).headers.get("upload-offset")).toBe(null);
  if (by === "head") {
    // The bytes of the last part are there, and the process dies before it can join them.
    await server.arm({ atBytes: PARTS[0]!.length, moment: "stored" });
    await append(one, 300_000, PARTS[0]!.subarray(300_000)).catch(() => undefined);
    expect(await server.ended()).toBe("SIGKILL");
    await server.start();
    expect((await ask()).headers.get("upload-offset")).toBe(String(WHOLE.length));
  } else {
    expect((await append(one, 300_000, PARTS[0]!.subarray(300_000))).status).toBe(204);
  }
  const sha256 = createHash("sha256").update(WHOLE).digest("hex");
  expect(await complete).toMatchObject({ bytes: WHOLE.length, sha256 });
  expect((await readdir(folder)).length).toBe(2); // the parts are gone
});
