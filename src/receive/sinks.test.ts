import { describe, expect, test, vi } from "vitest";
import { memorySink } from "./memory-sink.ts";
import { receive } from "./receive.ts";
import { codeOf, post } from "./receive.test-support.ts";
import { streamSink } from "./stream-sink.ts";

describe("streamSink()", () => {
  test("streamSink() writes to the stream and closes it", async () => {
    const seen: Uint8Array[] = [];
    const close = vi.fn();
    const to = streamSink(new WritableStream<Uint8Array>({ write: (chunk) => void seen.push(chunk), close }));
    await receive(post(["a".repeat(600), "b"]), { to });
    expect(seen.map((chunk) => chunk.byteLength)).toEqual([600, 1]);
    expect(close).toHaveBeenCalledTimes(1);
    expect(await codeOf(receive(post("x"), { to }))).toBe("closed");
  });

  test("streamSink() aborts the stream when the upload fails, and tells the stream's own failure", async () => {
    const abort = vi.fn();
    const made = streamSink(() => new WritableStream<Uint8Array>({ abort }));
    expect(await codeOf(receive(post(new Uint8Array(600), { "content-length": "601" }), { to: made }))).toBe(
      "truncated",
    );
    expect(abort).toHaveBeenCalledTimes(1);
    const broken = streamSink(() => new WritableStream<Uint8Array>({ write: () => Promise.reject(new Error("disk")) }));
    expect(await codeOf(receive(post([new Uint8Array(600), "b", "c"]), { to: broken }))).toBe("not ours: Error: disk");
  });
});

describe("memorySink()", () => {
  test("memorySink() holds up to maxBytes and no byte more, and forgets what was aborted", async () => {
    const to = memorySink({ maxBytes: 1_000 });
    expect(await codeOf(receive(post(new Uint8Array(1_001)), { to }))).toBe("limit_exceeded");
    expect(await codeOf(receive(post(new Uint8Array(1_000), { "content-length": "1001" }), { to }))).toBe("truncated");
    expect(await codeOf(receive(post(new Uint8Array(1_000)), { to }))).toBeUndefined();
    expect(await codeOf(receive(post("x"), { to }))).toBe("limit_exceeded");
    expect(to.files.size).toBe(1);
  });
});
