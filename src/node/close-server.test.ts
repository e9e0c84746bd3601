import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { ndjson } from "../reply/rows.ts";
import { sse } from "../reply/sse.ts";
import { closeServer } from "./close-server.ts";
import { createListener } from "./listener.ts";

async function* silent(): AsyncGenerator<string> {
  yield "a";
  await new Promise(() => undefined);
}

test("closeServer() tells runs' readers, sends the others away, cuts what cannot come back, and closes", async () => {
  const streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  await streams.create("feed");
  await streams.run("run", silent);
  const server = createServer(
    createListener((request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/rows") return ndjson(request, silent);
      if (pathname === "/odd")
        return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }));
      return sse(request, streams.follow(pathname.slice(1)));
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  const answered = await Promise.all(["/run", "/feed", "/rows", "/odd"].map(ask));
  const bodies = Promise.all(answered.map((response) => response.text().catch(() => "cut")));
  const idle = connect(port, "127.0.0.1"); // a connection that never asks for anything
  await once(idle, "connect");
  await expect.poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(5);
  const idleClosed = once(idle, "close");
  idle.resume();
  await closeServer(server, { streams: [streams], graceMs: 2_000 });
  const [run, feed, rows, odd] = await bodies;
  expect(run).toContain('"reason":"interrupted"');
  expect(feed).toMatch(/retry: 1000\n\n$/);
  expect([rows, odd]).toEqual(["cut", "cut"]);
  await idleClosed;
  expect(server.listening).toBe(false);
});
