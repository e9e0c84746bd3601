import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { compress } from "../node/compress.ts";
import { ndjson } from "../reply/rows.ts";
import { keepContentLength } from "./content-length.ts";

let server: Server | undefined;
afterEach(() => {
  vi.unstubAllEnvs();
  server?.closeAllConnections();
  server?.close();
});

type Middleware = (request: unknown, response: unknown, next: () => void) => void;
const nextsOwn = (createRequire(import.meta.url)("next/dist/compiled/compression") as (options: object) => Middleware)(
  {},
);

/** A server that treats a Response as Next.js does: its own compression, and three headers that are dropped. */
async function ask(response: Response, method: string): Promise<Response> {
  const listener: RequestListener = (incoming, outgoing) =>
    nextsOwn(incoming, outgoing, () => {
      for (const [name, value] of response.headers) {
        if (!["content-length", "content-encoding", "transfer-encoding"].includes(name))
          outgoing.setHeader(name, value);
      }
      void (async () => {
        for await (const chunk of response.body ?? []) outgoing.write(chunk);
        outgoing.end();
      })();
    });
  server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method });
}

describe("restoreEncoding()", () => {
  test.each(["GET", "HEAD"])("lets a compressed reply through Next.js once, for a %s", async (method) => {
    keepContentLength();
    vi.stubEnv("NEXT_RUNTIME", "nodejs");
    const request = new Request("http://127.0.0.1/", { method, headers: { "accept-encoding": "br, gzip" } });
    const rows = Array.from({ length: 1_000 }, (_, row) => ({ row }));
    const reply = compress(request, ndjson(request, rows, { headers: { "cache-control": "no-store" } }));
    expect(reply.headers.get("cache-control")).toBe("no-store, no-transform");
    const seen = await ask(reply, method);
    expect(seen.headers.get("content-encoding")).toBe("br");
    expect(seen.headers.has("tailrace-content-encoding")).toBe(false);
    expect(seen.headers.get("vary")).toBe("accept-encoding");
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    expect(await seen.text()).toBe(method === "GET" ? text : "");
  });

  test("names both codings where a host put its own on top", async () => {
    keepContentLength();
    const headers = { "content-type": "text/plain", "tailrace-content-encoding": "br" };
    const seen = await ask(new Response("x".repeat(5_000), { headers }), "HEAD");
    expect(seen.headers.get("content-encoding")).toBe("br"); // it leaves a HEAD alone
    server?.close();
    const plain = createServer((_incoming, outgoing) => {
      outgoing.writeHead(200, { "x-a": "b" });
      outgoing.end();
    });
    plain.prependListener("request", (_incoming, outgoing) => {
      outgoing.setHeader("content-encoding", "gzip");
      outgoing.setHeader("tailrace-content-encoding", "br");
    });
    server = plain.listen(0, "127.0.0.1");
    await once(server, "listening");
    const both = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { method: "HEAD" });
    expect(both.headers.get("content-encoding")).toBe("br, gzip");
  });
});
