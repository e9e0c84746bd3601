// When an abort of TailraceChatTransport is a stop, and when it is not.

import { afterEach, describe, expect, test, vi } from "vitest";
import type { TailraceError } from "../errors.ts";
import { fastTransport, readAll, sendOptions, wireOf } from "./chat-transport.test-support.ts";
import type { ChatTransportOptions } from "./chat-transport-types.ts";
import {
  type HandBody,
  handBody,
  type ScriptedCall,
  scriptedFetch,
  sseResponse,
} from "./scripted-fetch.test-support.ts";
import type { TailraceChatTransport } from "./chat-transport.ts";

afterEach(() => void vi.useRealTimers());

interface Setup {
  readonly transport: TailraceChatTransport;
  /** `METHOD path` of each request. */
  readonly requests: string[];
  /** The bodies that were opened. */
  readonly bodies: HandBody[];
  /** Takes the place of the next answer to a request. */
  readonly instead: Map<string, ((call: ScriptedCall) => Response | Promise<Response>)[]>;
}

/** A server that begins each answer and goes on for ever, and takes every stop. */
function setup(options: ChatTransportOptions = {}): Setup {
  const requests: string[] = [];
  const bodies: HandBody[] = [];
  const instead: Setup["instead"] = new Map();
  const { fetch } = scriptedFetch((call) => {
    const { method, url } = call;
    const route = `${method} ${url.replace("/api/chat", "") || "/"}`;
    requests.push(route);
    const other = instead.get(route)?.shift();
    if (other !== undefined) return other(call);
    if (route.endsWith("/stop")) return new Response(null, { status: 204 });
    const body = handBody();
    bodies.push(body);
    body.write('id: 1\ndata: {"type":"start","messageId":"a1"}\n\n');
    return sseResponse(body.stream);
  });
  return { transport: fastTransport(fetch, options), requests, bodies, instead };
}

/** Lets what was put off to the next turns happen. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve));
};

const stopsOf = ({ requests }: Setup): number => requests.filter((request) => request.endsWith("/stop")).length;

describe("TailraceChatTransport and stops", () => {
  test("an abort while the answer is read closes it at once and stops it once on the server", async () => {
    const all = setup();
    const signal = new AbortController();
    const stream = await all.transport.sendMessages(sendOptions({ abortSignal: signal.signal }));
    const reader = stream.getReader();
    await reader.read();
    const next = reader.read();
    signal.abort();
    await expect(next).rejects.toMatchObject({ name: "AbortError" });
    expect(all.bodies[0]?.cancelled).toBe(true);
    await turns();
    expect(all.requests).toEqual(["POST /", "POST /c/stop"]);
  });

  test("an abort of a resumed answer stops it too", async () => {
    const all = setup();
    const signal = new AbortController();
    await all.transport.reconnectToStream({ chatId: "c", abortSignal: signal.signal });
    signal.abort();
    await turns();
    expect(all.requests).toEqual(["GET /c/stream?prelude=1", "POST /c/stop"]);
  });

  test("an abort before the server has answered lets the message arrive, and stops what it began", async () => {
    const all = setup();
    let answer = (): void => undefined;
    const body = handBody();
    all.instead.set("POST /", [() => new Promise((resolve) => (answer = () => resolve(sseResponse(body.stream))))]);
    const signal = new AbortController();
    const sent = all.transport.sendMessages(sendOptions({ abortSignal: signal.signal }));
    await turns();
    signal.abort();
    await expect(sent).rejects.toMatchObject({ name: "AbortError" });
    await turns();
    expect(all.requests).toEqual(["POST /", "POST /c/stop"]);
    answer();
    await turns();
    expect(all.requests).toEqual(["POST /", "POST /c/stop", "POST /c/stop"]);
    expect(body.cancelled).toBe(true);
  });

  test("an abort of a resume that is not answered yet is no stop: nobody could see an answer", async () => {
    const all = setup();
    all.instead.set("GET /c/stream?prelude=1", [() => new Promise(() => undefined)]);
    const signal = new AbortController();
    const resumed = all.transport.reconnectToStream({ chatId: "c", abortSignal: signal.signal });
    await turns();
    signal.abort();
    await expect(resumed).rejects.toMatchObject({ name: "AbortError" });
    await turns();
    expect(stopsOf(all)).toBe(0);
  });

  test("a resume that takes the place of another, and an answer that has ended, are not stopped", async () => {
    const all = setup();
    const signal = new AbortController();
    await all.transport.reconnectToStream({ chatId: "c", abortSignal: signal.signal });
    signal.abort();
    const stream = await all.transport.reconnectToStream({ chatId: "c" });
    await turns();
    expect(stopsOf(all)).toBe(0);
    await stream?.cancel();
    const late = new AbortController();
    all.instead.set("POST /", [() => sseResponse(wireOf())]);
    await readAll(await all.transport.sendMessages(sendOptions({ abortSignal: late.signal })));
    late.abort();
    await turns();
    expect(stopsOf(all)).toBe(0);
  });

  test.each(["before", "after"])("close() in the same turn, %s the abort, is a leave and no stop", async (order) => {
    const all = setup();
    const signal = new AbortController();
    await all.transport.sendMessages(sendOptions({ abortSignal: signal.signal }));
    if (order === "before") all.transport.close();
    signal.abort();
    if (order === "after") all.transport.close();
    await turns();
    expect(stopsOf(all)).toBe(0);
    expect(all.bodies[0]?.cancelled).toBe(true);
    // It may be used again, as a component in StrictMode does.
    const again = new AbortController();
    await all.transport.reconnectToStream({ chatId: "c", abortSignal: again.signal });
    again.abort();
    await turns();
    expect(stopsOf(all)).toBe(1);
  });

  test("close() ends a pending send and an answer that is still read: an error, never an end", async () => {
    const all = setup();
    const stream = await all.transport.sendMessages<Record<string, unknown>>(sendOptions());
    all.transport.close();
    expect((await readAll(stream)).at(-1)).toMatchObject({ type: "error" });
    all.instead.set("POST /", [() => new Promise(() => undefined)]);
    const sent = all.transport.sendMessages(sendOptions());
    await turns();
    all.transport.close();
    await expect(sent).rejects.toMatchObject({ code: "closed" });
  });

  test("cancelling the stream, and stopsOnAbort: false, stop nothing; stop() does", async () => {
    const all = setup({ stopsOnAbort: false });
    const signal = new AbortController();
    const stream = await all.transport.sendMessages(sendOptions({ abortSignal: signal.signal }));
    signal.abort();
    await turns();
    const other = setup();
    await (await other.transport.sendMessages(sendOptions())).cancel();
    await turns();
    expect([stopsOf(all), stopsOf(other)]).toEqual([0, 0]);
    expect([all.bodies[0]?.cancelled, other.bodies[0]?.cancelled]).toEqual([true, true]);
    await all.transport.stop("c");
    expect(stopsOf(all)).toBe(1);
    await stream.cancel().catch(() => undefined);
  });

  test("the next message waits for the stop, which would else hit its answer", async () => {
    const all = setup();
    let taken = (): void => undefined;
    all.instead.set("POST /c/stop", [
      () => new Promise((resolve) => (taken = () => resolve(new Response(null, { status: 204 })))),
    ]);
    const signal = new AbortController();
    await all.transport.sendMessages(sendOptions({ abortSignal: signal.signal }));
    signal.abort();
    const sent = all.transport.sendMessages(sendOptions());
    await turns();
    expect(all.requests).toEqual(["POST /", "POST /c/stop"]);
    taken();
    await sent;
    expect(all.requests).toEqual(["POST /", "POST /c/stop", "POST /"]);
  });

  test("a message that is aborted while it waits for the stop is never sent", async () => {
    const all = setup();
    all.instead.set("POST /c/stop", [() => new Promise(() => undefined)]);
    const first = new AbortController();
    await all.transport.sendMessages(sendOptions({ abortSignal: first.signal }));
    first.abort();
    const second = new AbortController();
    const sent = all.transport.sendMessages(sendOptions({ abortSignal: second.signal }));
    await turns();
    second.abort();
    await expect(sent).rejects.toMatchObject({ name: "AbortError" });
    expect(all.requests).toEqual(["POST /", "POST /c/stop"]);
  });

  test("a stop is tried again after a failure, and onStopError hears of a refusal", async () => {
    const errors: [TailraceError, string][] = [];
    const all = setup({ onStopError: (error, chatId) => errors.push([error, chatId]) });
    const once = async (...answers: (() => Response)[]): Promise<void> => {
      all.instead.set("POST /c/stop", answers);
      const signal = new AbortController();
      await all.transport.sendMessages(sendOptions({ abortSignal: signal.signal }));
      signal.abort();
    };
    await once(
      () => {
        throw new TypeError("fetch failed");
      },
      () => new Response(null, { status: 503 }),
    );
    await expect.poll(() => stopsOf(all)).toBe(3);
    expect(errors).toEqual([]);
    await once(() => new Response(null, { status: 403 }));
    await expect.poll(() => errors).toMatchObject([[{ code: "response_refused", status: 403 }, "c"]]);
    expect(stopsOf(all)).toBe(4);
  });

  test("a stop is given up after stopTimeoutMs, not before, and leaves no timer", async () => {
    const errors: TailraceError[] = [];
    const all = setup({ stopTimeoutMs: 5_000, onStopError: (error) => errors.push(error) });
    all.instead.set("POST /c/stop", [
      ({ signal }) =>
        new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error))),
    ]);
    const signal = new AbortController();
    await all.transport.sendMessages(sendOptions({ abortSignal: signal.signal }));
    vi.useFakeTimers();
    signal.abort();
    await vi.advanceTimersByTimeAsync(1);
    await vi.advanceTimersByTimeAsync(4_998);
    expect(errors).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(errors).toMatchObject([{ code: "connection_failed", details: { stopTimeoutMs: 5_000 } }]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
