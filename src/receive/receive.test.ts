import { createHash } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createManualClock } from "../testing/manual-clock.ts";
import { memorySink } from "./memory-sink.ts";
import type { UploadProgress } from "./progress.ts";
import { receive } from "./receive.ts";
import { codeOf, fedBody, post, watchedSink } from "./receive.test-support.ts";

const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0);
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

describe("receive()", () => {
  test("receive() stores the body and tells what it is", async () => {
    const to = memorySink();
    const received = await receive(post(["hello ", "", "world"], { "content-length": "11" }), {
      to,
      name: "../a b.txt",
    });
    expect(received).toMatchObject({ name: "a b.txt", bytes: 11, sha256: sha256("hello world"), type: "text/plain" });
    expect(received.stored.key).toBe(received.id);
    expect(received.id).toMatch(/^[0-9a-f-]{36}$/);
    const kept = to.files.get(received.id);
    expect(kept).toMatchObject({ name: "a b.txt", type: "text/plain", expectedBytes: 11 });
    expect(new TextDecoder().decode(kept?.bytes)).toBe("hello world");
  });

  test("receive() takes an empty body, and one that is no body at all", async () => {
    const to = memorySink();
    expect(await receive(post([]), { to })).toMatchObject({ bytes: 0, name: undefined, sha256: sha256("") });
    expect(await receive(new Request("http://localhost/", { method: "POST" }), { to })).toMatchObject({ bytes: 0 });
    expect(to.files.size).toBe(2);
  });

  test.each([
    [`attachment; filename="a.txt"`, "a.txt"],
    [`attachment; filename="x"; filename*=UTF-8''%E6%B0%B4.txt`, "水.txt"],
    [`attachment; filename="x"; filename*=UTF-8''%E6`, "x"],
    [`attachment`, undefined],
  ])("receive() takes the name from Content-Disposition %j", async (disposition, name) => {
    const received = await receive(post("x", { "content-disposition": disposition }), { to: memorySink() });
    expect(received.name).toBe(name);
  });

  test("receive() judges the type by bytes that come one by one, before anything is stored", async () => {
    const to = watchedSink();
    const chunks = Array.from(PNG, (byte) => Uint8Array.of(byte));
    expect(await receive(post(chunks), { to, types: ["image/*"] })).toMatchObject({ type: "image/png", bytes: 10 });
    const refused = receive(post("#!/bin/sh\n".repeat(1_000), { "content-type": "image/png" }), {
      to,
      types: ["image/*"],
    });
    expect(await codeOf(refused)).toBe("type_refused");
    expect(to.counts).toMatchObject({ opened: 1, committed: 1 });
  });

  test.each([
    ["at the limit", 1_000, undefined],
    ["one past it", 1_001, "limit_exceeded"],
  ])("receive() of a body %s, without a Content-Length", async (_title, bytes, code) => {
    const to = watchedSink();
    expect(await codeOf(receive(post(new Uint8Array(bytes)), { to, maxBytes: 1_000 }))).toBe(code);
    expect(to.memory.files.size).toBe(code === undefined ? 1 : 0);
    expect(to.counts.aborted).toBe(0); // nothing was opened: one chunk, refused whole
  });

  test("receive() refuses an announced size over the limit before it reads", async () => {
    const body = fedBody();
    const to = watchedSink();
    const pulled = vi.spyOn(body.stream, "getReader");
    const request = post(body.stream, { "content-length": "1001" });
    expect(await codeOf(receive(request, { to, maxBytes: 1_000 }))).toBe("limit_exceeded");
    expect(to.counts.opened).toBe(0);
    expect(pulled.mock.calls.length).toBeLessThanOrEqual(1); // held, so that the rest can be thrown away
    body.end();
  });

  test("receive() has a default limit of 100 MiB", async () => {
    const tooMuch = post("x", { "content-length": String(104_857_601) });
    await expect(receive(tooMuch, { to: memorySink() })).rejects.toMatchObject({
      code: "limit_exceeded",
      status: 413,
      details: { maxBytes: 104_857_600 },
    });
  });

  test.each([
    ["shorter", "11", "truncated"],
    ["longer", "9", "truncated"],
    ["negative", "-1", "input_invalid"],
    ["no number", "1e3", "input_invalid"],
  ])("receive() of a body whose Content-Length is wrong: %s", async (_title, length, code) => {
    const to = watchedSink();
    expect(await codeOf(receive(post("0123456789", { "content-length": length }), { to }))).toBe(code);
    expect(to.memory.files.size).toBe(0);
    expect(to.counts.opened).toBe(to.counts.aborted);
  });

  test("receive() notices a body that is cut at any byte", async () => {
    const whole = new Uint8Array(700).fill(65);
    for (let end = 0; end < whole.length; end++) {
      const to = watchedSink();
      const request = post([whole.subarray(0, end)], { "content-length": "700" });
      expect(await codeOf(receive(request, { to }))).toBe("truncated");
      expect(to.memory.files.size).toBe(0);
      expect(to.counts.opened).toBe(to.counts.aborted);
    }
  });

  test.each([
    [10, undefined],
    [11, "truncated"],
    [9, "limit_exceeded"],
  ])("receive() of 10 bytes with expectedBytes %i", async (expectedBytes, code) => {
    expect(await codeOf(receive(post("0123456789"), { to: memorySink(), expectedBytes }))).toBe(code);
    const announced = receive(post("0123456789", { "content-length": "10" }), { to: memorySink(), expectedBytes });
    expect(await codeOf(announced)).toBe(code === undefined ? undefined : "truncated");
  });

  test("receive() refuses a body that was read before, and an id that could be a path", async () => {
    const used = post("x");
    await used.text();
    expect(await codeOf(receive(used, { to: memorySink() }))).toBe("source_invalid");
    expect(await codeOf(receive(post("x"), { to: memorySink(), id: "../x" }))).toBe("input_invalid");
    expect(await receive(post("x"), { to: memorySink(), id: "my-Upload_1" })).toMatchObject({ id: "my-Upload_1" });
  });

  test("receive() holds the sender back while the sink is busy", async () => {
    let pulled = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (++pulled <= 5) controller.enqueue(new Uint8Array(1_000));
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const to = watchedSink();
    let open: () => void = () => undefined;
    to.gate = new Promise((resolve) => (open = resolve));
    const work = receive(post(stream), { to });
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(pulled).toBe(1);
    open();
    expect(await work).toMatchObject({ bytes: 5_000 });
  });

  test.each(["the sender's connection", "the request's signal", "the caller's signal"] as const)(
    "receive() is aborted by %s, and leaves nothing",
    async (who) => {
      const body = fedBody();
      const to = watchedSink();
      const clock = createManualClock();
      const [request, caller] = [new AbortController(), new AbortController()];
      const work = codeOf(receive(post(body.stream, {}, request.signal), { to, signal: caller.signal, clock }));
      body.send(new Uint8Array(5_000));
      await vi.waitFor(() => expect(to.counts.written).toBe(1));
      if (who === "the sender's connection") body.fail(new Error("ECONNRESET"));
      if (who === "the request's signal") request.abort();
      if (who === "the caller's signal") caller.abort();
      expect(await work).toBe("aborted");
      expect(to.counts).toMatchObject({ opened: 1, committed: 0, aborted: 1 });
      clock.advance(10_000);
      await nextTurn();
      expect(clock.timerCount).toBe(0);
    },
  );

  test("receive() with a signal that has aborted before reads nothing", async () => {
    const to = watchedSink();
    expect(await codeOf(receive(post("x"), { to, signal: AbortSignal.abort() }))).toBe("aborted");
    expect(to.counts.opened).toBe(0);
  });

  test("receive() does not wait for a sink that hangs once the caller aborts", async () => {
    const stop = new AbortController();
    const aborted = vi.fn(() => Promise.resolve());
    const hangs = {
      open: () =>
        Promise.resolve({
          write: () => new Promise<void>(() => undefined),
          commit: () => new Promise<never>(() => undefined),
          abort: aborted,
        }),
    };
    const work = codeOf(receive(post(new Uint8Array(1_000)), { to: hangs, signal: stop.signal }));
    await nextTurn();
    stop.abort();
    expect(await work).toBe("aborted");
    expect(aborted).toHaveBeenCalledTimes(1);
  });

  test("receive() ends a silent sender, and throws away what it sends later", async () => {
    const clock = createManualClock();
    const body = fedBody();
    const to = watchedSink();
    const work = codeOf(receive(post(body.stream), { to, clock }));
    body.send(new Uint8Array(600));
    await vi.waitFor(() => expect(to.counts.written).toBe(1));
    await nextTurn();
    clock.advance(29_999);
    await nextTurn();
    expect(to.counts.aborted).toBe(0);
    clock.advance(1);
    expect(await work).toBe("too_slow");
    expect(to.counts).toMatchObject({ opened: 1, aborted: 1 });
    expect(body.isCancelled()).toBe(false); // the answer has to leave first
    clock.advance(2_000);
    await vi.waitFor(() => expect(body.isCancelled()).toBe(true));
    expect(clock.timerCount).toBe(0);
  });

  test("receive() ends a sender of one byte a second after 30 s", async () => {
    const clock = createManualClock();
    const body = fedBody();
    let seconds = 0;
    const over = new AbortController();
    const work = codeOf(receive(post(body.stream), { to: memorySink(), clock }).finally(() => over.abort()));
    for (; !over.signal.aborted && seconds < 100; seconds++) {
      body.send("x");
      await nextTurn();
      clock.advance(1_000);
      await nextTurn();
    }
    expect(await work).toBe("too_slow");
    expect(seconds).toBe(30);
    body.end();
  });

  test.each(["open", "write", "end", "commit"] as const)(
    "receive() tells what the sink threw at %s, and aborts",
    async (at) => {
      const to = watchedSink();
      to.failAt = at;
      expect(await codeOf(receive(post(new Uint8Array(1_000)), { to }))).toBe("store_unavailable");
      expect(to.counts.aborted).toBe(at === "open" ? 0 : 1);
      expect(to.memory.files.size).toBe(0);
    },
  );

  test("receive() reports an abort that fails, and still tells the first error", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const to = watchedSink();
    to.failAt = "abort";
    expect(await codeOf(receive(post(new Uint8Array(1_000), { "content-length": "2000" }), { to }))).toBe("truncated");
    expect(log).toHaveBeenCalledTimes(1);
  });

  test("receive() tells the progress to its end, and stands an onProgress that throws", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const told: UploadProgress[] = [];
    const onProgress = (progress: UploadProgress): void => {
      told.push(progress);
      if (progress.state === "receiving") throw new Error("x");
    };
    await receive(post(["a".repeat(600), "b"], { "content-length": "601" }), {
      to: memorySink(),
      name: "n",
      onProgress,
    });
    await vi.waitFor(() => expect(told.at(-1)?.state).toBe("complete"));
    expect(told.map(({ state }) => state)).toEqual(["created", "receiving", "verifying", "complete"]);
    expect(told.at(-1)).toMatchObject({ name: "n", bytes: 601, totalBytes: 601 });
    expect(log).toHaveBeenCalled();
    told.length = 0;
    await codeOf(receive(post("a", { "content-length": "2" }), { to: memorySink(), onProgress }));
    await vi.waitFor(() => expect(told.at(-1)).toMatchObject({ state: "failed", code: "truncated" }));
  });

  test("receive() without sha256 makes none", async () => {
    expect(await receive(post("x"), { to: memorySink(), sha256: false })).toMatchObject({
      sha256: undefined,
      bytes: 1,
    });
  });
});
