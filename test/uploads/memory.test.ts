// 512 MiB, raw and as a form, through a server that must stay under 150 MB.

import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const CHUNK = Buffer.alloc(1_048_576, "tailrace ");
const CHUNK_COUNT = 512;
const MAX_PEAK_BYTES = 150_000_000;
const BOUNDARY = "----limit";
const HEAD = Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n`);
const TAIL = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);

let folder: string;
let child: ChildProcess;
let port: number;
let sha256: string;

/** The server as JavaScript: Node's own reading of TypeScript would take a third of the memory that is allowed. */
function compile(): string {
  const root = path.resolve(import.meta.dirname, "../..");
  const project = path.join(folder, "tsconfig.json");
  const compilerOptions = {
    outDir: folder,
    rootDir: root,
    noEmit: false,
    declaration: false,
    isolatedDeclarations: false,
    noCheck: true,
  };
  const source = path.join(import.meta.dirname, "server.ts");
  const types = [path.join(root, "node_modules/@types/node")];
  writeFileSync(
    project,
    JSON.stringify({
      extends: path.join(root, "tsconfig.json"),
      compilerOptions: { ...compilerOptions, types },
      files: [source],
      include: [],
    }),
  );
  writeFileSync(path.join(folder, "package.json"), `{ "type": "module" }`);
  execFileSync(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", project]);
  return path.join(folder, "test/uploads/server.js");
}

async function ask<T>(message?: string): Promise<T> {
  const answer = once(child, "message") as Promise<[T]>;
  if (message !== undefined) child.send(message);
  return (await answer)[0];
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tailrace-memory-"));
  child = fork(compile(), [path.join(folder, "files")], { execArgv: [] });
  ({ port } = await ask<{ port: number }>());
  const hash = createHash("sha256");
  for (let sent = 0; sent < CHUNK_COUNT; sent++) hash.update(CHUNK);
  sha256 = hash.digest("hex");
});
afterAll(async () => {
  const ended = once(child, "exit");
  child.disconnect();
  await ended;
  await rm(folder, { recursive: true });
});

async function send(contentType: string, head: Buffer, tail: Buffer): Promise<Record<string, unknown>> {
  const length = head.length + CHUNK.length * CHUNK_COUNT + tail.length;
  const headers = { "content-type": contentType, "content-length": length };
  const sending = httpRequest({ port, host: "127.0.0.1", method: "POST", path: "/", headers });
  const answered = once(sending, "response") as Promise<[IncomingMessage]>;
  sending.write(head);
  for (let sent = 0; sent < CHUNK_COUNT; sent++) if (!sending.write(CHUNK)) await once(sending, "drain");
  sending.end(tail);
  const [response] = await answered;
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return JSON.parse(text) as Record<string, unknown>;
}

describe("512 MiB", () => {
  test.each([
    ["raw", "application/octet-stream", Buffer.alloc(0), Buffer.alloc(0)],
    ["as a form", `multipart/form-data; boundary=${BOUNDARY}`, HEAD, TAIL],
  ])("a server that receives 512 MiB %s stays under 150 MB", async (_title, type, head, tail) => {
    const received = await send(type, head, tail);
    expect(received).toMatchObject({ bytes: CHUNK.length * CHUNK_COUNT, sha256, type: "text/plain" });
    const { peakBytes } = await ask<{ peakBytes: number }>("peak");
    expect(peakBytes).toBeLessThan(MAX_PEAK_BYTES);
    const [name, ...others] = await readdir(path.join(folder, "files"));
    expect(others).toEqual([]);
    expect((await stat(path.join(folder, "files", name as string))).size).toBe(CHUNK.length * CHUNK_COUNT);
    await rm(path.join(folder, "files", name as string));
  });
});
