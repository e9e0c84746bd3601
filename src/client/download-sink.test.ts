import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { download } from "./download.ts";
import type { DownloadOptions } from "./download-types.ts";
import {
  type FileStandIn,
  fileStandIn,
  patternBytes,
  pendingTimers,
  timersDownTo,
  until,
} from "../node/transfer-stand-in.test-support.ts";

const NOW = { minDelayMs: 0, maxDelayMs: 0 } as const;
const BYTES = patternBytes(64);
let server: FileStandIn;

beforeEach(async () => {
  server = await fileStandIn(BYTES);
});
afterEach(() => server.close());

const ranges = (): unknown[] => server.seen.map(({ headers }) => [headers.range, headers["if-range"]]);

function gather(): { readonly stream: WritableStream<Uint8Array>; readonly chunks: Uint8Array[]; ended: string } {
  const chunks: Uint8Array[] = [];
  const sink = {
    chunks,
    ended: "",
    stream: new WritableStream<Uint8Array>({
      write: (chunk) => void chunks.push(chunk),
      close: () => void (sink.ended = "closed"),
      abort: () => void (sink.ended = "aborted"),
    }),
  };
  return sink;
}

describe("download into a sink", () => {
  test("download() to a stream waits for it, and closes it", async () => {
    server.file.bytes = patternBytes(500_000);
    const sink = gather();
    const coming = download(server.fileUrl, { ...NOW, to: sink.stream });
    expect((await coming.done).blob).toBeNull();
    expect([Buffer.concat(sink.chunks).equals(server.file.bytes), sink.ended]).toEqual([true, "closed"]);
  });

  test("download() to a function begins anew with another stream; to a stream it cannot", async () => {
    const change = (): void => {
      server.file.etag = '"v1"';
      server.cuts.push(30);
      server.onCut = () => Object.assign(server.file, { etag: '"v2"' });
    };
    change();
    const sinks: ReturnType<typeof gather>[] = [];
    const to = (): WritableStream<Uint8Array> => {
      sinks.push(gather());
      return (sinks.at(-1) as ReturnType<typeof gather>).stream;
    };
    await download(server.fileUrl, { ...NOW, to }).done;
    expect(sinks.map(({ ended }) => ended)).toEqual(["aborted", "closed"]);
    expect(Buffer.concat(sinks[1]?.chunks ?? [])).toEqual(BYTES);
    change();
    const sink = gather();
    await expect(download(server.fileUrl, { ...NOW, to: sink.stream }).done).rejects.toMatchObject({
      code: "conflict",
    });
    expect(sink.ended).toBe("aborted");
  });

  test("download() to a stream that fails says so", async () => {
    const full = new WritableStream<Uint8Array>({ write: () => Promise.reject(new Error("no room")) });
    await expect(download(server.fileUrl, { ...NOW, to: full }).done).rejects.toMatchObject({
      code: "store_unavailable",
      cause: new Error("no room"),
    });
    await expect(
      download(server.fileUrl, { ...NOW, to: () => Promise.reject(new Error("denied")) }).done,
    ).rejects.toMatchObject({ code: "store_unavailable" });
  });

  test("for await reads the chunks, and the network waits for the loop", async () => {
    server.file.bytes = patternBytes(3_000_000);
    const coming = download(server.fileUrl, { ...NOW, to: "chunks" });
    const chunks: Uint8Array[] = [];
    let most = 0;
    for await (const chunk of coming) {
      chunks.push(chunk);
      const taken = chunks.reduce((bytes, part) => bytes + part.byteLength, 0);
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, coming.state.bytes - taken);
    }
    expect(Buffer.concat(chunks).equals(server.file.bytes)).toBe(true);
    // One chunk waits, and no second.
    expect(most).toBeLessThanOrEqual(Math.max(...chunks.map((chunk) => chunk.byteLength)));
    expect((await coming.done).bytes).toBe(3_000_000);
  });

  test("for await aborts on break, throws what failed, and is refused where the bytes go elsewhere", async () => {
    server.file.bytes = patternBytes(3_000_000);
    const coming = download(server.fileUrl, { ...NOW, to: "chunks" });
    for await (const chunk of coming) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    await expect(coming.done).rejects.toMatchObject({ code: "aborted" });
    server.intercept = () => ({ status: 404 });
    const read = async (options: DownloadOptions): Promise<void> => {
      for await (const _ of download(server.fileUrl, { ...NOW, ...options })) break;
    };
    await expect(read({ to: "chunks" })).rejects.toMatchObject({ code: "response_refused" });
    await expect(read({})).rejects.toMatchObject({ code: "input_invalid" });
  });

  test("pause() takes the connection away, and resume() asks for the rest", async () => {
    server.file.bytes = patternBytes(3_000_000);
    const coming = download(server.fileUrl, { ...NOW, to: "chunks" });
    const reader = coming[Symbol.asyncIterator]();
    const chunks = [(await reader.next()).value as Uint8Array];
    coming.pause();
    expect(coming.state).toMatchObject({ status: "paused", bytesPerSecond: 0 });
    const { bytes } = coming.state;
    setImmediate(() => coming.resume());
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) chunks.push(next.value);
    expect(Buffer.concat(chunks).equals(server.file.bytes)).toBe(true);
    expect(ranges()[1]).toEqual([`bytes=${bytes}-`, '"v1"']);
  });

  test("abort() releases the reader, every timer and every listener", async () => {
    const timers = pendingTimers();
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => void (cancelled = true),
    });
    const controller = new AbortController();
    const coming = download("http://example.invalid/file", {
      fetch: async () => new Response(body, { headers: { "content-length": "1000000000" } }),
      signal: controller.signal,
    });
    await until(coming, () => coming.state.bytes > 100);
    controller.abort(new Error("enough"));
    await expect(coming.done).rejects.toMatchObject({ code: "aborted", cause: new Error("enough") });
    await expect.poll(() => cancelled).toBe(true);
    expect(await timersDownTo(timers)).toBeLessThanOrEqual(timers);
    const { bytes } = coming.state;
    await new Promise((resolve) => setImmediate(resolve));
    expect(coming.state.bytes).toBe(bytes);
  });
});
