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

  test("leaves what Next's own compression encodes", async () => {
    const require = createRequire(import.meta.url);
    type Middleware = (request: unknown, response: unknown, next: () => void) => void;
    const compress = (require("next/dist/compiled/compression") as (options: object) => Middleware)({});
    const text = "x".repeat(10_000);
    const listener: RequestListener = (request, outgoing) =>
      compress(request, outgoing, () => {
        outgoing.setHeader("content-type", "text/plain");
        outgoing.setHeader("tailrace-content-length", String(text.length));
        outgoing.write(text);
        outgoing.end();
      });
    const encoded = await ask(listener, { headers: { "accept-encoding": "gzip" } });
    expect(encoded.headers.get("content-encoding")).toBe("gzip");
    expect(encoded.headers.has("content-length")).toBe(false);
    expect(await encoded.text()).toBe(text);
    const plain = await ask(listener, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-length")).toBe("10000");
    expect(await plain.text()).toBe(text);
  });
});
