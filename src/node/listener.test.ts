import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openReplies } from "../reply/open-replies.ts";
import { text } from "../reply/rows.ts";
import { sse } from "../reply/sse.ts";
import { createListener, type Handler } from "./listener.ts";

let server: Server;
let handler: Handler;

beforeEach(async () => {
  server = createServer(createListener((request) => handler(request)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const port = (): number => (server.address() as AddressInfo).port;
const url = (path = "/"): string => `http://127.0.0.1:${port()}${path}`;

/** Sends `request` as it stands and gives the socket. */
function raw(request: string): Socket {
  const socket = connect(port(), "127.0.0.1");
  socket.setEncoding("latin1");
  socket.write(request);
  return socket;
}

async function readAll(socket: Socket): Promise<string> {
  let seen = "";
  for await (const chunk of socket) seen += chunk as string;
  return seen;
}

describe("createListener()", () => {
  test("gives the request's method, address, headers and body", async () => {
    handler = async (request) =>
      Response.json({
        method: request.method,
        url: request.url,
        x: request.headers.get("x-a"),
        body: await request.text(),
      });
    const response = await fetch(url("/p?q=1"), { method: "POST", headers: { "x-a": "b" }, body: "körper" });
    expect(await response.json()).toEqual({ method: "POST", url: url("/p?q=1"), x: "b", body: "körper" });
  });

  test("gives status, headers and several cookies, and any other Response too", async () => {
    handler = () => {
      const headers = new Headers({ "x-a": "b" });
      headers.append("set-cookie", "a=1");
      headers.append("set-cookie", "b=2");
      return new Response(new Blob(["x".repeat(300_000)]).stream(), { status: 207, headers });
    };
    const response = await fetch(url());
    expect([response.status, response.headers.get("x-a"), response.headers.getSetCookie()]).toEqual([
      207,
      "b",
      ["a=1", "b=2"],
    ]);
    expect((await response.text()).length).toBe(300_000);
  });

  test("sends the headers at once, though the source is silent", async () => {
    handler = (request) => text(request, () => new Promise<never>(() => undefined));
    const response = await fetch(url());
    expect(response.status).toBe(200);
    await response.body!.cancel();
    await vi.waitFor(() => expect(openReplies().size).toBe(0));
  });

  test("a handler that throws is a 500 that tells nothing", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    handler = () => {
      throw new Error("secret");
    };
    const response = await fetch(url());
    expect(response.status).toBe(500);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.text()).not.toContain("secret");
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
  });

  test("HEAD gets the headers and no body, and opens nothing", async () => {
    const source = vi.fn(() => ["a"]);
    handler = (request) => text(request, source);
    const seen = await readAll(raw("HEAD / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    expect(seen).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen.split("\r\n\r\n")[1]).toBe("");
    expect(source).not.toHaveBeenCalled();
  });

  test("a HEAD that a GET handler answers with a body of its own is closed", async () => {
    const cancel = vi.fn();
    handler = () => new Response(new ReadableStream({ cancel }));
    expect((await fetch(url(), { method: "HEAD" })).status).toBe(200);
    await vi.waitFor(() => expect(cancel).toHaveBeenCalledTimes(1));
  });

  test("a source that fails cuts the connection: no final chunk", async () => {
    handler = (request) =>
      text(
        request,
        async function* () {
          yield "whole";
          await new Promise((resolve) => setImmediate(resolve));
          throw new Error("x");
        },
        { onError: () => undefined },
      );
    const seen = await readAll(raw("GET / HTTP/1.1\r\nhost: x\r\n\r\n")).catch(() => "reset");
    expect(seen).not.toMatch(/\r\n0\r\n\r\n$/);
    await expect(fetch(url()).then((response) => response.text())).rejects.toThrow("terminated");
  });

  test("a complete reply ends with the final chunk", async () => {
    handler = (request) => text(request, ["whole"]);
    expect(await readAll(raw("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))).toMatch(/whole\r\n0\r\n\r\n$/);
  });

  test("the reader's leaving aborts the request and releases the source, also while it is silent", async () => {
    const left = Promise.withResolvers<string>();
    const released = Promise.withResolvers<void>();
    handler = (request) => {
      request.signal.addEventListener("abort", () => left.resolve((request.signal.reason as Error).name));
      return sse(request, async function* ({ signal }) {
        try {
          yield { data: 1 };
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          released.resolve();
        }
      });
    };
    const socket = raw("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "data");
    socket.destroy();
    expect(await left.promise).toBe("AbortError");
    await released.promise;
    await vi.waitFor(() => expect(openReplies().size).toBe(0));
  });

  test("a reader that leaves before the handler has answered gets nothing opened", async () => {
    const source = vi.fn(() => ["a"]);
    const answering = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<Request>();
    handler = async (request) => {
      asked.resolve(request);
      await answering.promise;
      return text(request, source);
    };
    const socket = raw("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const request = await asked.promise;
    const left = once(request.signal, "abort");
    socket.destroy();
    await left;
    answering.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(source).not.toHaveBeenCalled();
  });

  test("a reader that stops reading stops the source", async () => {
    let made = 0;
    handler = (request) =>
      text(request, function* () {
        for (;;) {
          made++;
          yield "x".repeat(65_536);
        }
      });
    const socket = raw("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "data");
    socket.pause();
    let before = -1;
    await vi.waitFor(
      () => {
        const now = made;
        const isStill = now === before;
        before = now;
        expect(isStill).toBe(true);
      },
      { interval: 200 },
    );
    // Some megabytes lie in the buffers of the operating system; none in ours.
    expect(made).toBeLessThan(400);
    socket.destroy();
    await vi.waitFor(() => expect(openReplies().size).toBe(0));
  });

  test.each([
    "GET http://other.test/a HTTP/1.1\r\nhost: x",
    "GET //a//b HTTP/1.1\r\nhost: x",
    "OPTIONS * HTTP/1.1\r\nhost: x",
    "GET / HTTP/1.1\r\nhost: ",
    "GET / HTTP/1.1\r\nhost: a b",
  ])("answers the odd request line %j", async (line) => {
    handler = (request) => new Response(request.url);
    expect(await readAll(raw(`${line}\r\nconnection: close\r\n\r\n`))).toMatch(/^HTTP\/1\.1 (200|4\d\d) /);
  });
});
