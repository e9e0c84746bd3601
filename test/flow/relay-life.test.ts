// Who leaves is noticed on the other side, in both directions, on hosts that tell it by either of the two ways; and nothing is held back.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { relay } from "../../src/flow/relay.ts";
import type { RelayFetch } from "../../src/flow/relay-options.ts";
import { guardedFetch } from "../../src/node/guarded-fetch.ts";
import { createListener } from "../../src/node/listener.ts";
import { shutdown } from "../../src/reply/shutdown.ts";
import { type Peer, type ScriptedUpstream, chunked, dial, startUpstream, wire } from "./raw-http.ts";

const OK = "HTTP/1.1 200 OK";
const CHUNKED = wire(OK, ["transfer-encoding: chunked"]);

let upstream: ScriptedUpstream;
let server: Server;
let port: number;
let fetch: RelayFetch | undefined;
let errors: unknown[];

const onError = (error: unknown): void => void errors.push(error);

/** Plays `script` and gives the connection that the relay makes to it. */
function connection(script: (peer: Peer) => void | Promise<void> = () => undefined): Promise<Peer> {
  errors = [];
  return new Promise((resolve) =>
    upstream.play(async (peer) => {
      // Node's fetch may open a connection that it closes without a word.
      if ((await peer.request()) === undefined) return;
      resolve(peer);
      await script(peer);
    }),
  );
}

beforeAll(async () => {
  upstream = await startUpstream();
  server = createServer(createListener((request) => relay(request, upstream.origin, { onError, fetch })));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await upstream.close();
});

describe.each(["the platform's fetch", "guardedFetch"])("relay over %s", (name) => {
  beforeAll(() => {
    fetch = name === "guardedFetch" ? guardedFetch({ allowPrivate: [new URL(upstream.origin).host] }) : undefined;
  });

  test("relay closes the upstream when the client leaves before an answer", async () => {
    const made = connection();
    const client = await dial(port);
    client.write(wire("GET / HTTP/1.1", ["host: x"]));
    const peer = await made;
    client.socket.destroy();
    await peer.closed;
    expect(errors).toEqual([]);
  });

  test("relay closes the upstream when the client leaves in the body, and while the upstream is silent", async () => {
    const made = connection((peer) => peer.write(Buffer.concat([CHUNKED, Buffer.from("3\r\nabc\r\n")])));
    const client = await dial(port);
    client.write(wire("GET / HTTP/1.1", ["host: x"]));
    await client.untilText("abc");
    client.socket.destroy();
    await (
      await made
    ).closed;
    expect(errors).toEqual([]);
  });

  test("relay closes the upstream by cancel alone", async () => {
    const made = connection((peer) => peer.write(Buffer.concat([CHUNKED, Buffer.from("3\r\nabc\r\n")])));
    const response = await relay(new Request("http://x/"), upstream.origin, { onError, fetch });
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("abc");
    await reader?.cancel();
    await (
      await made
    ).closed;
  });

  test("relay closes the upstream by the request's signal alone, read or not", async () => {
    const made = connection((peer) => peer.write(Buffer.concat([CHUNKED, Buffer.from("3\r\nabc\r\n")])));
    const controller = new AbortController();
    const request = new Request("http://x/", { signal: controller.signal });
    const response = await relay(request, upstream.origin, { onError, fetch });
    expect(response.status).toBe(200);
    controller.abort();
    await (
      await made
    ).closed;
  });

  test("relay answers 499 and asks nobody when the client has left already", async () => {
    void connection();
    const request = new Request("http://x/", { signal: AbortSignal.abort() });
    const response = await relay(request, upstream.origin, { onError, fetch });
    expect(response.status).toBe(499);
    expect(upstream.peers).toEqual([]);
  });

  test("relay passes each event on as it comes, and the head before the first", async () => {
    const made = connection((peer) =>
      peer.write(wire(OK, ["content-type: text/event-stream", "transfer-encoding: chunked"])),
    );
    const client = await dial(port);
    client.write(wire("GET / HTTP/1.1", ["host: x", "accept: text/event-stream"]));
    await client.untilText("\r\n\r\n");
    const peer = await made;
    for (const event of ["data: 1\n\n", "data: 2\n\n", ": only half"]) {
      peer.write(chunked(event).subarray(0, -5)); // without the last chunk
      await client.untilText(event);
      expect(client.bytes.includes(event)).toBe(true);
    }
    client.socket.destroy();
    await peer.closed;
  });

  test("relay sends the head of a body whose first byte is late", async () => {
    const made = connection((peer) => peer.write(CHUNKED));
    const client = await dial(port);
    client.write(wire("GET / HTTP/1.1", ["host: x"]));
    await client.untilText("\r\n\r\n");
    expect(client.bytes.toString()).toMatch(/^HTTP\/1\.1 200 /);
    (await made).write(chunked("late"));
    await client.untilText("late");
    client.socket.destroy();
  });

  test("relay streams both ways at once", async () => {
    const made = connection();
    upstream.play(async (peer) => {
      await peer.untilText("first");
      peer.write(Buffer.concat([CHUNKED, Buffer.from("3\r\none\r\n")]));
      await peer.untilText("second");
      peer.write("3\r\ntwo\r\n0\r\n\r\n");
    });
    void made;
    const client = await dial(port);
    client.write(wire("POST / HTTP/1.1", ["host: x", "transfer-encoding: chunked"], "5\r\nfirst\r\n"));
    await client.untilText("one");
    expect(client.bytes.includes("two")).toBe(false);
    client.write("6\r\nsecond\r\n0\r\n\r\n");
    await client.untilText("two");
    expect(client.bytes.includes("two")).toBe(true);
    client.socket.destroy();
  });

  test("relay gives a slow upload all the time that it needs, and the upstream none", async () => {
    const slow = createServer(
      createListener((request) => relay(request, upstream.origin, { onError, fetch, firstByteMs: 60 })),
    ).listen(0, "127.0.0.1");
    await once(slow, "listening");
    void connection(); // reads the whole request, and never answers
    const client = await dial((slow.address() as AddressInfo).port);
    client.write(wire("POST / HTTP/1.1", ["host: x", "content-length: 4"]));
    for (const letter of "abc") {
      await new Promise((resolve) => setTimeout(resolve, 50));
      client.write(letter);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.bytes.length).toBe(0); // the client is waited for
    client.write("d");
    await client.untilText("upstream_slow");
    expect(client.bytes.toString()).toMatch(/^HTTP\/1\.1 504 /);
    client.socket.destroy();
    slow.close();
  });

  test("relay cuts the client and tells onError when the upstream dies in the body", async () => {
    const made = connection((peer) => peer.write(Buffer.concat([CHUNKED, Buffer.from("3\r\nabc\r\n")])));
    const client = await dial(port);
    client.write(wire("GET / HTTP/1.1", ["host: x"]));
    await client.untilText("abc");
    (await made).socket.resetAndDestroy();
    await client.closed;
    expect(client.bytes.toString()).not.toContain("0\r\n\r\n");
    expect(errors).toMatchObject([{ code: "upstream_failed" }]);
  });

  test("relay uses a connection again after a body that was read to its end", async () => {
    errors = [];
    upstream.play(async (peer) => {
      await peer.until((bytes) => bytes.toString().split("\r\n\r\n").length > 1);
      peer.write(wire(OK, ["content-length: 3"], "one"));
      await peer.until((bytes) => bytes.toString().split("\r\n\r\n").length > 2);
      peer.write(wire(OK, ["content-length: 3"], "two"));
    });
    for (const wanted of ["one", "two"]) {
      const client = await dial(port);
      client.write(wire("GET / HTTP/1.1", ["host: x", "connection: close"]));
      await client.closed;
      expect(client.bytes.toString().endsWith(wanted)).toBe(true);
    }
    expect(upstream.peers).toHaveLength(1);
  });

  test("relay holds the upstream back for a client that does not read", async () => {
    let sentBytes = 0;
    const piece = Buffer.alloc(65_536, "x");
    const stalled = Promise.withResolvers<void>();
    const made = connection(async (peer) => {
      peer.write(wire(OK, ["content-length: 1000000000"]));
      for (;;) {
        sentBytes += piece.length;
        if (peer.socket.write(piece)) continue;
        const drained = once(peer.socket, "drain").then(() => true);
        const rest = new Promise<false>((resolve) => setTimeout(() => resolve(false), 300));
        if (!(await Promise.race([drained, rest]))) break;
      }
      stalled.resolve();
    });
    const client = await dial(port);
    client.socket.pause();
    client.write(wire("GET / HTTP/1.1", ["host: x"]));
    await stalled.promise;
    expect(sentBytes).toBeLessThan(64_000_000); // what lies in the kernel's buffers, and no more
    client.socket.destroy();
    await (
      await made
    ).closed;
  });

  test("relay is ended by a shutdown", async () => {
    const made = connection((peer) => peer.write(Buffer.concat([CHUNKED, Buffer.from("3\r\nabc\r\n")])));
    const client = await dial(port);
    client.write(wire("GET / HTTP/1.1", ["host: x"]));
    await client.untilText("abc");
    await shutdown({ graceMs: 0 });
    await client.closed;
    await (
      await made
    ).closed;
    expect(client.bytes.toString()).not.toContain("0\r\n\r\n");
  });

  test("relay leaves nothing behind for a HEAD", async () => {
    const made = connection((peer) => peer.write(CHUNKED));
    const response = await relay(new Request("http://x/", { method: "HEAD" }), upstream.origin, {
      onError,
      fetch,
      method: "GET",
    });
    expect(response.body).toBeNull();
    await (
      await made
    ).closed;
  });
});
