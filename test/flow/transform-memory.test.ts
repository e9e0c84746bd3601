// A large body through a transform, in a server of its own that must stay under 150 MB. 256 MiB; 2 GiB with LONG=1.

import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const LINE = "the quick brown fox jumps over the lazy dog\n";
const CHUNK = Buffer.from(LINE.repeat(2_048));
const TOTAL_BYTES = process.env["LONG"] === "1" ? 2_147_483_648 : 268_435_456;
const CHUNK_COUNT = Math.ceil(TOTAL_BYTES / CHUNK.length);
const MAX_PEAK_BYTES = 150_000_000;

let folder: string;
let child: ChildProcess;
let port: number;

/** The server as JavaScript: Node's own reading of TypeScript would take a third of the memory that is allowed. */
function compile(): string {
  const root = path.resolve(import.meta.dirname, "../..");
  const source = path.join(import.meta.dirname, "transform-server.ts");
  const compilerOptions = {
    outDir: folder,
    rootDir: root,
    noEmit: false,
    declaration: false,
    isolatedDeclarations: false,
    noCheck: true,
    types: [path.join(root, "node_modules/@types/node")],
  };
  const project = path.join(folder, "tsconfig.json");
  const config = { extends: path.join(root, "tsconfig.json"), compilerOptions, files: [source], include: [] };
  writeFileSync(project, JSON.stringify(config));
  writeFileSync(path.join(folder, "package.json"), `{ "type": "module" }`);
  execFileSync(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", project]);
  return path.join(folder, "test/flow/transform-server.js");
}

async function ask<T>(message?: string): Promise<T> {
  const answer = once(child, "message") as Promise<[T]>;
  if (message !== undefined) child.send(message);
  return (await answer)[0];
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tailrace-transform-"));
  // V8 lets the room for young strings grow to 48 MB in any program that makes many: kept small, what is left is what is held.
  child = fork(compile(), { execArgv: ["--max-semi-space-size=4"] });
  ({ port } = await ask<{ port: number }>());
});
afterAll(async () => {
  child.disconnect();
  await once(child, "exit");
  await rm(folder, { recursive: true, force: true });
});

/** Sends the whole and reads it back, both at once. */
async function through(target: string): Promise<number> {
  const outgoing = httpRequest({ port, host: "127.0.0.1", method: "POST", path: target });
  const answer = once(outgoing, "response") as Promise<[IncomingMessage]>;
  const sending = (async () => {
    for (let index = 0; index < CHUNK_COUNT; index++) if (!outgoing.write(CHUNK)) await once(outgoing, "drain");
    outgoing.end();
  })();
  const [incoming] = await answer;
  let bytes = 0;
  for await (const chunk of incoming) {
    if (bytes === 0) expect((chunk as Buffer).subarray(0, LINE.length).toString().toLowerCase()).toBe(LINE);
    bytes += (chunk as Buffer).length;
  }
  await sending;
  return bytes;
}

describe("transform() of a large body", () => {
  test("transform() takes no more memory for more bytes", async () => {
    expect(await through("/upper")).toBe(CHUNK_COUNT * CHUNK.length);
    const { peakBytes } = await ask<{ peakBytes: number }>("rss");
    expect(peakBytes).toBeLessThan(MAX_PEAK_BYTES);
  }, 120_000);

  test("transform() refuses a bomb without holding what comes out of it", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const headers = { "content-encoding": "gzip" };
    const answer = await fetch(`http://127.0.0.1:${port}/drop`, { method: "POST", body: bomb, headers });
    expect(answer.status).toBe(413);
    const { peakBytes } = await ask<{ peakBytes: number }>("rss");
    expect(peakBytes).toBeLessThan(MAX_PEAK_BYTES);
  });
});
