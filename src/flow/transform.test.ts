import { afterEach, describe, expect, test, vi } from "vitest";
import { openReplies } from "../reply/open-replies.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { oneAndTwoCuts, TEXT_CORPUS } from "../wire/transform.test-support.ts";
import type { TransformContext } from "../wire/transform-types.ts";
import {
  counted,
  encode,
  problemOf,
  fed,
  type FedBody,
  nextTurn,
  post,
  streamed,
  upper,
} from "./transform.test-support.ts";
import { transform } from "./transform.ts";

afterEach(() => {
  if (openReplies().size > 0) throw new Error("A reply is still counted as open.");
  vi.restoreAllMocks();
});

describe("transform() answering", () => {
  test.each([
    ["bytes", "application/octet-stream", "a\nb"],
    ["text", "text/plain; charset=utf-8", "a\nb"],
    ["lines", "text/plain; charset=utf-8", "a\nb\n"],
  ] as const)("transform() as %s says so and sends it", async (as, type, text) => {
    const response = await transform(post(["a\n", "b"]), (piece) => piece, { as });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("cache-control")).toContain("no-transform");
    expect(await response.text()).toBe(text);
  });

  test("transform() as rows sends NDJSON", async () => {
    const response = await transform(post(['{"n":1}\n{"n":2}']), (row) => (row as { n: number }).n * 2, { as: "rows" });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(await response.text()).toBe("2\n4\n");
  });

  test("transform() takes status, type and headers", async () => {
    const options = { status: 201, contentType: "text/csv", headers: { "x-a": "b", connection: "close" } };
    const response = await transform(post(["a"]), (bytes) => bytes, options);
    expect(response.status).toBe(201);
    expect([...response.headers.keys()]).not.toContain("connection");
    expect(response.headers.get("content-type")).toBe("text/csv");
    expect(response.headers.get("x-a")).toBe("b");
    await response.body?.cancel();
  });

  test.each(["GET", "HEAD", "POST"])("transform() of a %s without a body transforms an empty one", async (method) => {
    const end = vi.fn<() => string>(() => "nothing came");
    const response = await transform(new Request("http://localhost/", { method }), upper, { as: "text", end });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(method === "HEAD" ? "" : "nothing came");
    expect(end).toHaveBeenCalledOnce();
  });

  test("transform() gives the same for every one and two cuts of a text", async () => {
    const whole = TEXT_CORPUS.slice(1).toUpperCase();
    for (const chunks of oneAndTwoCuts(encode(TEXT_CORPUS))) {
      const response = await transform(post(chunks), upper, { as: "text" });
      expect(await response.text()).toBe(whole);
    }
  });

  test("transform() rejects options that are none, and lets go of the body", async () => {
    const body = fed();
    const work = transform(streamed(body.stream), upper, { as: "lines", maxLineBytes: 0 });
    await expect(work).rejects.toMatchObject({ code: "input_invalid" });
  });
});

describe("transform() and its two ends", () => {
  test("transform() answers while the sender still sends", async () => {
    const body = fed();
    const answer = transform(streamed(body.stream), upper, { as: "text" });
    body.send("a");
    const reader = (await answer).body?.getReader();
    for (const text of ["a", "b", "c"]) {
      if (text !== "a") body.send(text);
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(text.toUpperCase());
    }
    await reader?.cancel();
    expect(body.cancelled()).toBe(1);
  });

  test.each([
    ["bytes that are no UTF-8", (body: FedBody) => body.send(Uint8Array.of(0xff, 0x61)), "decode_failed"],
    ["a sender that dies", (body: FedBody) => body.fail(), "aborted"],
    ["one byte too many", (body: FedBody) => body.send("12345678901"), "limit_exceeded"],
  ])("transform() cuts the answer at %s", async (_what, break_, code) => {
    const body = fed();
    const onError = vi.fn<(error: unknown) => void>();
    const answer = transform(streamed(body.stream), upper, { as: "text", maxBytes: 10, onError });
    body.send("a");
    const reader = (await answer).body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    break_(body);
    await expect(reader?.read()).rejects.toMatchObject({ code });
    expect(onError).toHaveBeenCalledOnce();
  });

  test("transform() reports to the console, but not that a sender left", async () => {
    const reported = vi.spyOn(console, "error").mockReturnValue();
    for (const [what, count] of [
      ["fail", 0],
      ["throw", 1],
    ] as const) {
      const body = fed();
      const fn = (text: string): string => {
        if (text === "throw") throw new Error("mine");
        return text;
      };
      const answer = transform(streamed(body.stream), fn, { as: "text" });
      body.send("a");
      const reader = (await answer).body?.getReader();
      await reader?.read();
      if (what === "fail") body.fail();
      else body.send("throw");
      await expect(reader?.read()).rejects.toThrow(/./);
      expect(reported).toHaveBeenCalledTimes(count);
    }
  });

  /** A transform whose function is in the middle of its work, and what it holds. */
  async function underWay(): Promise<{
    response: Response;
    body: FedBody;
    listeners: { readonly left: number };
    held: { open: number; signal: AbortSignal | undefined };
    leave: AbortController;
  }> {
    const body = fed();
    const leave = new AbortController();
    const request = streamed(body.stream, {}, leave.signal);
    const listeners = counted(request.signal);
    const held: { open: number; signal: AbortSignal | undefined } = { open: 0, signal: undefined };
    async function* fn(text: string, { signal }: TransformContext): AsyncGenerator<string> {
      held.open++;
      held.signal = signal;
      try {
        yield text;
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      } finally {
        held.open--;
      }
    }
    const answer = transform(request, fn, { as: "text" });
    body.send("a");
    return { response: await answer, body, listeners, held, leave };
  }

  test.each(["cancels the body", "aborts the signal", "does both"])(
    "transform() lets go of everything when the host %s",
    async (how) => {
      const { response, body, listeners, held, leave } = await underWay();
      const reader = response.body?.getReader();
      expect((await reader?.read())?.done).toBe(false);
      const waiting = reader?.read().catch(() => undefined); // the function waits now
      await nextTurn();
      expect(held.open).toBe(1);
      if (how !== "aborts the signal") await reader?.cancel();
      if (how !== "cancels the body") leave.abort();
      await waiting;
      await nextTurn();
      expect(held).toMatchObject({ open: 0, signal: { aborted: true } });
      expect(body.cancelled()).toBe(1);
      expect(listeners.left).toBe(0);
    },
  );

  test("transform() lets go of everything when the reader leaves before the first output", async () => {
    const body = fed();
    const leave = new AbortController();
    const request = streamed(body.stream, {}, leave.signal);
    const listeners = counted(request.signal);
    let signal: AbortSignal | undefined;
    const fn = (_text: string, context: TransformContext): Promise<string> => {
      ({ signal } = context);
      return new Promise(() => undefined);
    };
    const answer = transform(request, fn, { as: "text" });
    body.send("a");
    await vi.waitFor(() => expect(signal).toBeDefined());
    leave.abort();
    expect(await problemOf(await answer)).toBe("499 aborted");
    expect(signal?.aborted).toBe(true);
    expect(body.cancelled()).toBe(1);
    expect(listeners.left).toBe(0);
  });

  test("transform() of a request that is aborted already reads nothing", async () => {
    const body = fed();
    const leave = new AbortController();
    leave.abort();
    const fn = vi.fn<() => string>();
    expect(await problemOf(await transform(streamed(body.stream, {}, leave.signal), fn, { as: "text" }))).toBe(
      "499 aborted",
    );
    expect(fn).not.toHaveBeenCalled();
    expect(body.cancelled()).toBe(1);
  });

  test("transform() ends when the caller's signal aborts, although fn never answers", async () => {
    const stop = new AbortController();
    const listeners = counted(stop.signal);
    const body = fed();
    let calls = 0;
    const fn = (text: string): string | Promise<string> => (calls++ === 0 ? text : new Promise(() => undefined));
    const onError = vi.fn<(error: unknown) => void>();
    const answer = transform(streamed(body.stream), fn, { as: "text", signal: stop.signal, onError });
    body.send("a");
    const reader = (await answer).body?.getReader();
    await reader?.read();
    body.send("b");
    const waiting = reader?.read();
    await vi.waitFor(() => expect(calls).toBe(2));
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    expect(listeners.left).toBe(0);
    expect(body.cancelled()).toBe(1);
  });

  test("transform() leaves no listener and no timer behind when all goes well", async () => {
    const clock = createManualClock();
    const request = post(["a", "b"]);
    const listeners = counted(request.signal);
    const response = await transform(request, upper, { as: "text", clock });
    expect(await response.text()).toBe("AB");
    expect(listeners.left).toBe(0);
    expect(clock.timerCount).toBe(0);
  });
});
