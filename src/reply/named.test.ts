// Replies of named streams, read by the stock EventSource, by fetch, and cut at every byte.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { EventSource } from "eventsource";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { createListener } from "../node/listener.ts";
import { openReplies } from "./open-replies.ts";
import { ndjson, text } from "./rows.ts";
import { sse, type SseOptions } from "./sse.ts";

let server: Server;
let streams: Streams;
let options: SseOptions<unknown>;

beforeEach(async () => {
  options = {};
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  server = createServer(
    createListener((request) => {
      const { pathname, searchParams } = new URL(request.url);
      const after = searchParams.get("after") ?? undefined;
      if (pathname === "/rows") return ndjson(request, streams.follow("s"));
      if (pathname === "/text") return text(request, streams.follow<string>("s"));
      return sse(request, streams.follow<unknown>("s", { after }), options);
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await streams.close();
});

const url = (path = "/"): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
const get = (lastEventId?: string, path?: string): Promise<Response> =>
  fetch(url(path), lastEventId === undefined ? {} : { headers: { "last-event-id": lastEventId } });

const datas = (body: string): string[] => [...body.matchAll(/^data: (.*)$/gm)].map((match) => match[1]!);
const ids = (body: string): string[] => [...body.matchAll(/^id: (.*)$/gm)].map((match) => match[1]!);

describe("sse() of a named stream", () => {
  test("a reader that is cut after any byte resumes with exactly what is missing", async () => {
    await streams.append("s", ["a", { b: "ü" }, 3], { end: { reason: "completed" } });
    const body = await (await get()).text();
    const all = datas(body);
    const bytes = new TextEncoder().encode(body);
    for (let cut = 0; cut <= bytes.length; cut++) {
      // A reader has what stands before the last blank line; an id counts once its block is complete.
      const seen = new TextDecoder().decode(bytes.subarray(0, cut));
      const complete = seen.slice(0, seen.lastIndexOf("\n\n") + 2);
      const response = await get(ids(complete).at(-1));
      const rest = response.status === 204 ? [] : datas(await response.text());
      expect([...datas(complete), ...rest]).toEqual(all);
    }
  });

  test("the first block is a place to come back to, before there is any item", async () => {
    await streams.create("s");
    const response = await get(undefined, "/?after=now");
    const reader = response.body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    await streams.append("s", ["later"], { end: { reason: "completed" } });
    expect(datas(await (await get(ids(first)[0])).text())[0]).toBe('"later"');
  });

  test("answers 204 behind the end, 400 for what is no cursor, 404 for what is not there", async () => {
    expect((await get()).status).toBe(404);
    await streams.append("s", [1], { end: { reason: "stopped" } });
    const end = ids(await (await get()).text()).at(-1)!;
    expect(end).toMatch(/~$/);
    expect((await get(end)).status).toBe(204);
    for (const bad of ["bogus", "7", "x".repeat(2_000), "\u00ff", "~"]) {
      const response = await get(bad);
      expect(response.status).toBe(400);
      expect(response.headers.get("content-type")).toBe("application/problem+json");
      expect(await response.json()).toMatchObject({ status: 400, code: "cursor_invalid" });
    }
    expect((await get(undefined, "/?after=bogus")).status).toBe(400);
  });

  test("tells a gap in band and goes on from the earliest item", async () => {
    await streams.create("s", { maxItems: 2 });
    const { offsets } = await streams.append("s", [1, 2, 3, 4, 5], { end: { reason: "completed" } });
    const body = await (await get(offsets[0])).text();
    const gap = /event: gap\ndata: (.*)\n/.exec(body)!;
    expect(JSON.parse(gap[1]!)).toEqual({ asked: offsets[0], earliest: offsets[2], latest: offsets[4] });
    expect(datas(body).slice(1, 3)).toEqual(["4", "5"]);
  });

  test.each([
    ["completed", "event: end\n"],
    ["stopped", "event: end\n"],
    ["failed", "event: error\n"],
    ["interrupted", "event: error\n"],
  ] as const)("tells the end %s", async (reason, event) => {
    await streams.append("s", [1], { end: { reason } });
    const body = await (await get()).text();
    expect(body).toContain(event);
    expect(body).toContain(`"reason":"${reason}"`);
  });

  test("a stream of text is shown as text; bytes that are none end the reply visibly, unless toEvent shows them", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await streams.create("s", { contentType: "text/plain" });
    await streams.append("s", ["ä\nb", new Uint8Array([0xff])], { end: { reason: "completed" } });
    const body = await (await get()).text();
    expect(datas(body).slice(0, 2)).toEqual(["ä", "b"]);
    expect(body).toContain("event: error");
    options = { toEvent: (value) => ({ data: [...(value as Uint8Array)] }) };
    expect(datas(await (await get()).text())).toEqual(["[195,164,10,98]", "[255]", '{"reason":"completed"}']);
    log.mockRestore();
  });

  test("toEvent shapes the items, and cannot take away their ids", async () => {
    options = {
      toEvent: (value) => ({ event: "n", id: "mine", data: { value } }),
      first: [{ event: "connected", data: 1 }],
    };
    const { tail } = await streams.append("s", ["a"], { end: { reason: "completed" } });
    expect(await (await get()).text()).toContain(`event: n\nid: ${tail}\ndata: {"value":"a"}\n\n`);
  });

  test("a stock EventSource follows, comes back after a cut, misses nothing and stays away after the end", async () => {
    options = { retryMs: 10 };
    let requests = 0;
    server.on("request", () => requests++);
    await streams.append("s", [0]);
    const source = new EventSource(url());
    const seen: number[] = [];
    source.addEventListener("message", (event) => seen.push(JSON.parse(event.data as string) as number));
    const ended = new Promise((resolve) => source.addEventListener("end", resolve));
    const closed = new Promise<void>((resolve) => {
      source.addEventListener("error", () => source.readyState === EventSource.CLOSED && resolve());
    });
    for (let index = 1; index <= 5; index++) {
      await vi.waitFor(() => expect(seen).toHaveLength(index));
      server.closeAllConnections();
      await streams.append("s", [index]);
    }
    await vi.waitFor(() => expect(seen).toHaveLength(6));
    await streams.append("s", [], { end: { reason: "completed" } });
    await ended;
    await closed; // by the 204
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
    expect(requests).toBe(7);
    await vi.waitFor(() => expect(openReplies().size).toBe(0));
  });
});

describe("ndjson() and text() of a named stream", () => {
  test("give the values from the start and end with the stream", async () => {
    await streams.append("s", ["a", "b"], { end: { reason: "completed" } });
    expect(await (await get(undefined, "/rows")).text()).toBe('"a"\n"b"\n');
    expect(await (await get(undefined, "/text")).text()).toBe("ab");
  });

  test("are cut when the run did not reach its end, and 404 when there is none", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect((await get(undefined, "/rows")).status).toBe(404);
    await streams.append("s", ["a"], { end: { reason: "interrupted" } });
    for (const path of ["/rows", "/text"])
      await expect(get(undefined, path).then((response) => response.text())).rejects.toThrow("terminated");
    log.mockRestore();
  });
});
