// 256 MB, and 2 GB with LONG=1, down and up through a relay in a process of its own that must stay small.

import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const CHUNK = Buffer.alloc(1_000_000, "tailrace ");
const CHUNK_COUNT = process.env["LONG"] === "1" ? 2_000 : 256;
const BODY_BYTES = CHUNK.length * CHUNK_COUNT;
/** Node's own fetch copies each piece once more, and nobody but the garbage collector may take its pieces back. */
const MAX_PEAK_BYTES: Readonly<Record<string, number>> = { fetch: 220_000_000, guardedFetch: 150_000_000 };

let folder: string;
let script: string;
let upstream: Server;
let origin: string;

/** The relay as JavaScript: Node's own reading of TypeScript would take a third of the memory that is allowed. */
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
    types: [path.join(root, "node_modules/@types/node")],
  };
  const files = [path.join(import.meta.dirname, "relay-memory-server.ts")];
  const config = { extends: path.join(root, "tsconfig.json"), compilerOptions, files, include: [] };
  writeFileSync(project, JSON.stringify(config));
  writeFileSync(path.join(folder, "package.json"), `{ "type": "module" }`);
  execFileSync(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", project]);
  return path.join(folder, "test/flow/relay-memory-server.js");
}

async function sendAll(to: Writable): Promise<void> {
  for (let sent = 0; sent < CHUNK_COUNT; sent++) if (!to.write(CHUNK)) await once(to, "drain");
  to.end();
}

async function countAll(from: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of from) bytes += (chunk as Buffer).length;
  return bytes;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tailrace-relay-"));
  script = compile();
  upstream = createServer((request, response) => {
    if (request.method === "GET") {
      response.setHeader("content-length", BODY_BYTES);
      void sendAll(response);
    } else void countAll(request).then((bytes) => response.end(String(bytes)));
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(async () => {
  upstream.closeAllConnections();
  upstream.close();
  await rm(folder, { recursive: true });
});

describe.each(["fetch", "guardedFetch"])("relay over %s", (kind) => {
  let child: ChildProcess;
  let port: number;

  async function ask<T>(message?: string): Promise<T> {
    const answer = once(child, "message") as Promise<[T]>;
    if (message !== undefined) child.send(message);
    return (await answer)[0];
  }

  beforeAll(async () => {
    child = fork(script, [origin, kind], { execArgv: [] });
    ({ port } = await ask<{ port: number }>());
  });
  afterAll(async () => {
    const ended = once(child, "exit");
    child.disconnect();
    await ended;
  });

  async function exchange(method: string): Promise<number> {
    const headers = method === "GET" ? {} : { "content-length": BODY_BYTES };
    const sending = httpRequest({ port, host: "127.0.0.1", method, headers });
    const answered = once(sending, "response") as Promise<[IncomingMessage]>;
    if (method === "GET") sending.end();
    else await sendAll(sending);
    const [response] = await answered;
    if (method === "GET") return countAll(response);
    let text = "";
    for await (const chunk of response) text += String(chunk);
    return Number(text);
  }

  test.each(["GET", "PUT"])("relay of a %s stays under its limit", async (method) => {
    expect(await exchange(method)).toBe(BODY_BYTES);
    const { peakBytes } = await ask<{ peakBytes: number }>("peak");
    expect(peakBytes).toBeLessThan(MAX_PEAK_BYTES[kind] ?? 0);
  });
});
