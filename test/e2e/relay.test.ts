// Another server's answers through Next.js: as they come, in part, refused, and let go of when the reader leaves.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Demo } from "./demo.ts";
import { RawExchange } from "./raw-exchange.ts";

let demo: Demo;
/** A demo whose upstream is `upstream`. */
let other: Demo;
let upstream: Server;
/** Gets the answers that the upstream gives, by their path. */
const answering = new Map<string, (response: ServerResponse) => void>();
const bytes = randomBytes(2_000_000);

beforeAll(async () => {
  upstream = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://upstream");
    const answer = answering.get(pathname);
    if (answer === undefined) response.writeHead(404).end();
    else answer(response);
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as AddressInfo;
  [demo, other] = await Promise.all([Demo.start(), Demo.start({ RELAY_UPSTREAM: `http://127.0.0.1:${port}` })]);
  await writeFile(join(demo.dataDir, "files", "random.bin"), bytes);
});
afterAll(async () => {
  await Promise.all([demo?.remove(), other?.remove()]);
  upstream?.closeAllConnections();
  upstream?.close();
});

const relayed = (of: Demo, path: string): string => `${of.url}/api/relay?path=${encodeURIComponent(path)}`;

describe("/api/relay", () => {
  test("an event stream passes each event as it comes, and goes on behind the last one", async () => {
    const notify = (title: string): Promise<Response> =>
      fetch(`${demo.url}/api/notifications`, { method: "POST", body: JSON.stringify({ title, body: "" }) });
    const exchange = await RawExchange.open(relayed(demo, "/api/events"), "GET");
    await exchange.until("event: connected");
    for (const title of ["first", "second", "third"]) {
      await notify(title); // sent only once the one before has come
      await exchange.until(`"title":"${title}"`);
    }
    expect(exchange.text).toMatch(/^content-type: text\/event-stream/im);
    const ids = [...exchange.text.matchAll(/^id: (.*)$/gm)].map((match) => match[1]!);
    exchange.socket.destroy();
    const again = await RawExchange.open(relayed(demo, "/api/events"), "GET", { "last-event-id": ids.at(-2)! });
    await again.until('"title":"third"');
    expect(again.text).not.toContain('"title":"second"');
    again.socket.destroy();
  });

  test("ranges pass, and curl -C - goes on where it was cut", async () => {
    const url = relayed(demo, "/api/download/random.bin");
    const part = await fetch(url, { headers: { range: "bytes=1000-1999" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 1000-1999/2000000"]);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1_000, 2_000))).toBe(true);
    expect((await fetch(url, { headers: { range: "bytes=2000000-" } })).status).toBe(416);
    const target = join(demo.dataDir, "copy.bin");
    await writeFile(target, bytes.subarray(0, 1_234_567));
    await promisify(execFile)("curl", ["-sf", "-C", "-", "-o", target, url]);
    expect(bytes.equals(await readFile(target))).toBe(true);
  });

  test.each([
    ["nothing", ""],
    ["another path", "/api/jobs"],
    ["a path that only begins like one", "/api/healthy"],
    ["the relay itself", "/api/relay?path=/api/health"],
    ["the root", "/"],
    ["no slash at first", "api/health"],
    ["another host", "//example.com/api/health"],
    ["another host, by a backslash", "/\\example.com/api/health"],
    ["an address", "http://example.com/api/health"],
    ["an address with a user", "http://user:secret@127.0.0.1/api/health"],
    ["a user", "//user@127.0.0.1/api/health"],
    ["another scheme", "file:///etc/passwd"],
    ["dot segments", "/api/download/../jobs"],
    ["dot segments, encoded", "/api/download/%2e%2e/jobs"],
    ["dot segments, half encoded", "/api/download/.%2E/jobs"],
    ["a slash, encoded", "/api/download/..%2fjobs"],
    ["a backslash", "/api/download/..\\..\\jobs"],
    ["a backslash, encoded", "/api/download/..%5cjobs"],
    ["a tab within dot segments", "/api/download/.\t./jobs"],
  ])("%s is refused", async (_what, path) => {
    const response = await fetch(relayed(demo, path));
    expect([response.status, response.headers.get("content-type")]).toEqual([422, "application/problem+json"]);
    expect(await response.json()).toMatchObject({ status: 422, code: "input_invalid", field: "path" });
  });

  test("no path is refused, and an encoded percent sign is no way around", async () => {
    expect((await fetch(`${demo.url}/api/relay`)).status).toBe(422);
    expect((await fetch(relayed(demo, "/api/download/..%252fstreams.db"))).status).toBe(404);
    expect((await fetch(relayed(demo, "/api/download/missing.bin"))).status).toBe(404);
  });

  test("a reader that leaves closes the upstream's connection", async () => {
    const left = Promise.withResolvers<string>();
    answering.set("/api/events", (response) => {
      response.on("close", () => left.resolve("closed"));
      response.writeHead(200, { "content-type": "text/event-stream" }).write("data: one\n\n");
    });
    const exchange = await RawExchange.open(relayed(other, "/api/events"), "GET");
    await exchange.until("data: one");
    exchange.socket.destroy();
    expect(await left.promise).toBe("closed");
  });

  test("a reader that leaves before the upstream has answered closes its connection too", async () => {
    const [asked, left] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
    answering.set("/api/files", (response) => {
      response.on("close", () => left.resolve("closed"));
      asked.resolve();
    });
    const exchange = await RawExchange.open(relayed(other, "/api/files"), "GET");
    await asked.promise;
    exchange.socket.destroy();
    expect(await left.promise).toBe("closed");
  });

  test("an upstream that breaks off late cuts the answer, and one that breaks off early is a 502", async () => {
    const begun = Promise.withResolvers<ServerResponse>();
    answering.set("/api/text", (response) => {
      response.writeHead(200, { "content-type": "text/plain" }).write("begun");
      begun.resolve(response);
    });
    const exchange = await RawExchange.open(relayed(other, "/api/text"), "GET");
    await exchange.until("begun");
    (await begun.promise).destroy();
    await exchange.closed();
    expect([exchange.status, exchange.isWhole]).toEqual([200, false]);
    answering.set("/api/text", (response) => response.destroy());
    const early = await fetch(relayed(other, "/api/text"));
    expect([early.status, early.headers.get("content-type")]).toEqual([502, "application/problem+json"]);
    expect(await early.json()).toMatchObject({ code: "upstream_failed" });
  });

  test("cookies stay behind, and a redirect to an address that may not be asked is refused", async () => {
    answering.set("/api/health", (response) => response.writeHead(200, { "set-cookie": "a=b" }).end("fine"));
    const response = await fetch(relayed(other, "/api/health"));
    expect([await response.text(), response.headers.get("set-cookie")]).toEqual(["fine", null]);
    answering.set("/api/rows", (answer) =>
      answer.writeHead(302, { location: "http://169.254.169.254/latest/meta-data/" }).end(),
    );
    const refused = await fetch(relayed(other, "/api/rows"));
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: "address_refused" });
  });
});
