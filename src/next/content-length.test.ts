import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { keepContentLength } from "./content-length.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Asks once of a server that answers as Next.js does: no `content-length`, whatever the handler said. */
async function ask(listener: RequestListener, init: RequestInit = {}): Promise<Response> {
  server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, init);
}

keepContentLength();
keepContentLength(); // a second time is no second wrapper

describe("keepContentLength()", () => {
  test.each(["GET", "HEAD"])("gives back the length of a %s", async (method) => {
    const response = await ask(
      (request, outgoing) => {
        outgoing.setHeader("tailrace-content-length", "5");
        if (request.method === "HEAD") outgoing.end();
        else {
          outgoing.write("he");
          outgoing.end("llo");
        }
      },
      { method },
    );
    expect(response.headers.get("content-length")).toBe("5");
    expect(await response.text()).toBe(method === "HEAD" ? "" : "hello");
  });

  test("sees a head that is written outright, too", async () => {
    const response = await ask((_request, outgoing) => {
      outgoing.setHeader("tailrace-content-length", "5");
      outgoing.writeHead(206, { "x-a": "b" });
      outgoing.write("hello");
      outgoing.end();
    });
    expect([response.status, response.headers.get("content-length"), response.headers.get("x-a")]).toEqual([
      206,
      "5",
      "b",
    ]);
  });

  test("leaves what says nothing, what is compressed and what has a length of its own", async () => {
    const silent = await ask((_request, outgoing) => {
      outgoing.write("hello");
      outgoing.end();
    });
    expect(silent.headers.has("content-length")).toBe(false);
    const own = await ask((_request, outgoing) => {
      outgoing.setHeader("tailrace-content-length", "5");
      outgoing.setHeader("content-length", "3");
      outgoing.end("abc");
    });
    expect(own.headers.get("content-length")).toBe("3");
    const odd = await ask((_request, outgoing) => {
      outgoing.setHeader("tailrace-content-length", "5x");
      outgoing.write("hello");
      outgoing.end();
    });
    expect(odd.headers.has("content-length")).toBe(false);
  });

  test("gives what Next's own compression encodes no length, and a weak tag", async () => {
    const require = createRequire(import.meta.url);
    type Middleware = (request: unknown, response: unknown, next: () => void) => void;
    const compress = (require("next/dist/compiled/compression") as (options: object) => Middleware)({});
    const text = "x".repeat(10_000);
    const listener: RequestListener = (request, outgoing) =>
      compress(request, outgoing, () => {
        outgoing.setHeader("content-type", "text/plain");
        outgoing.setHeader("etag", '"v1"');
        outgoing.setHeader("accept-ranges", "bytes");
        outgoing.setHeader("tailrace-content-length", String(text.length));
        outgoing.write(text);
        outgoing.end();
      });
    for (const method of ["GET", "HEAD"]) {
      const encoded = await ask(listener, { method, headers: { "accept-encoding": "gzip" } });
      expect(encoded.headers.get("content-encoding")).toBe(method === "GET" ? "gzip" : null);
      for (const name of ["content-length", "accept-ranges", "tailrace-content-length"]) {
        expect(encoded.headers.has(name)).toBe(false); // a HEAD says no more than the GET
      }
      expect(encoded.headers.get("etag")).toBe('W/"v1"');
      expect(await encoded.text()).toBe(method === "GET" ? text : "");
      const plain = await ask(listener, { method, headers: { "accept-encoding": "identity" } });
      expect(plain.headers.get("content-length")).toBe("10000");
      expect(plain.headers.get("etag")).toBe('"v1"');
      expect(await plain.text()).toBe(method === "GET" ? text : "");
    }
  });

  test("leaves a tag that is weak, and what says no length of ours", async () => {
    const coded =
      (own: boolean): RequestListener =>
      (_request, outgoing) => {
        outgoing.setHeader("content-encoding", "gzip");
        outgoing.setHeader("etag", own ? 'W/"v1"' : '"v1"');
        if (own) outgoing.setHeader("tailrace-content-length", "5");
        outgoing.end();
      };
    for (const own of [true, false]) {
      const response = await ask(coded(own), { method: "HEAD" });
      expect(response.headers.get("etag")).toBe(own ? 'W/"v1"' : '"v1"');
    }
  });
});
