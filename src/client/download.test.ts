import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { download } from "./download.ts";
import type { DownloadOptions, DownloadSnapshot } from "./download-types.ts";
import { type FileStandIn, fileStandIn, patternBytes, until } from "../node/transfer-stand-in.test-support.ts";

const NOW = { minDelayMs: 0, maxDelayMs: 0 } as const;
const BYTES = patternBytes(64);
const DATE = "Sat, 01 Nov 2025 10:00:00 GMT";
let server: FileStandIn;

beforeEach(async () => {
  server = await fileStandIn(BYTES);
});
afterEach(() => server.close());

const bytesOf = async (blob: Blob | null): Promise<Buffer> => Buffer.from(await (blob ?? new Blob()).arrayBuffer());
const digestOf = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
const reprDigest = (bytes: Buffer): string => `sha-256=:${digestOf(bytes).toString("base64")}:`;
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

describe("download", () => {
  test("download() gives the file, its name and type, and tells the way there", async () => {
    server.file.headers = {
      "content-type": "application/pdf",
      "content-disposition": `attachment; filename="_.pdf"; filename*=UTF-8''%C3%BCber.pdf`,
      "repr-digest": reprDigest(BYTES),
    };
    const shown: DownloadSnapshot[] = [];
    const coming = download(server.fileUrl, NOW);
    expect(coming.state).toMatchObject({ status: "connecting", bytes: 0, totalBytes: null, result: null });
    coming.subscribe(() => shown.push(coming.state));
    const { blob, ...result } = await coming.done;
    expect(await bytesOf(blob)).toEqual(BYTES);
    expect(blob?.type).toBe("application/pdf");
    expect(result).toEqual({
      bytes: 64,
      name: "über.pdf",
      type: "application/pdf",
      sha256: digestOf(BYTES).toString("hex"),
    });
    expect(coming.state).toMatchObject({ status: "done", bytes: 64, totalBytes: 64, restarted: 0, error: null });
    expect([...new Set(shown.map(({ status }) => status))]).toEqual(["receiving", "verifying", "done"]);
  });

  test("download() brings the same bytes with a cut at each of them, and asks only for what is missing", async () => {
    server.file.headers = { "repr-digest": reprDigest(BYTES) };
    for (let cut = 0; cut <= BYTES.byteLength; cut += 1) {
      server.cuts.push(cut);
      const coming = download(server.fileUrl, NOW);
      const { blob, sha256 } = await coming.done;
      expect((await bytesOf(blob)).equals(BYTES), `cut after ${cut} bytes`).toBe(true);
      expect([sha256, coming.state.restarted]).toEqual([digestOf(BYTES).toString("hex"), 0]);
    }
    const resumed = server.seen.filter(({ headers }) => headers["if-range"] === '"v1"');
    expect(resumed.length).toBeGreaterThan(0);
  });

  test("download() brings the same bytes however it is cut, paused and resumed", async () => {
    const plan = fc.record({
      size: fc.integer({ min: 0, max: 200_000 }),
      seed: fc.integer(),
      cuts: fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 4 }),
      pauses: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
      maxRangeBytes: fc.constantFrom(Infinity, 70_000),
      tellsLength: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ size, seed, cuts, pauses, ...file }) => {
        const bytes = patternBytes(size, seed);
        Object.assign(server.file, { bytes, headers: { "repr-digest": reprDigest(bytes) } }, file);
        server.cuts.splice(0, Infinity, ...cuts);
        const coming = download(server.fileUrl, NOW);
        const at = new Set(pauses);
        let changes = 0;
        coming.subscribe(() => {
          changes += 1;
          if (!at.has(changes)) return;
          coming.pause();
          setImmediate(() => coming.resume());
        });
        const { blob } = await coming.done;
        expect((await bytesOf(blob)).equals(bytes)).toBe(true);
        expect(coming.state.restarted).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test("download() of a file that changes between two parts begins anew, and says so", async () => {
    const other = patternBytes(80, 9);
    server.cuts.push(30);
    server.onCut = () => Object.assign(server.file, { bytes: other, etag: '"v2"' });
    const coming = download(server.fileUrl, NOW);
    const arrived = until(coming, () => coming.state.bytes === 30);
    const { blob } = await coming.done;
    await arrived;
    expect(await bytesOf(blob)).toEqual(other);
    expect(coming.state.restarted).toBe(1);
    expect(ranges()).toEqual([
      ["bytes=0-", undefined],
      ["bytes=30-", '"v1"'],
    ]);
  });

  test.each<[string, () => void, string | undefined, number]>([
    ["a date and no tag", () => Object.assign(server.file, { etag: undefined, lastModified: DATE }), DATE, 0],
    ["a weak tag and a date", () => Object.assign(server.file, { etag: 'W/"1"', lastModified: DATE }), undefined, 0],
    ["a weak tag alone", () => Object.assign(server.file, { etag: 'W/"1"' }), undefined, 1],
    ["nothing", () => Object.assign(server.file, { etag: undefined }), undefined, 1],
  ])("download() of a file with %s comes back after a cut", async (_, prepare, ifRange, restarted) => {
    prepare();
    server.cuts.push(30);
    const coming = download(server.fileUrl, NOW);
    const { blob } = await coming.done;
    expect(await bytesOf(blob)).toEqual(BYTES);
    expect(coming.state.restarted).toBe(restarted);
    // One that begins anew asks for the whole: a second part could not be trusted either.
    expect(ranges()[1]).toEqual([restarted === 1 ? undefined : "bytes=30-", ifRange]);
  });

  test("download() of a changed file with a weak tag begins anew", async () => {
    Object.assign(server.file, { etag: 'W/"1"', lastModified: DATE });
    server.cuts.push(30);
    server.onCut = () =>
      Object.assign(server.file, { bytes: patternBytes(64, 3), lastModified: "Sat, 01 Nov 2025 11:00:00 GMT" });
    const coming = download(server.fileUrl, NOW);
    const { blob } = await coming.done;
    expect(await bytesOf(blob)).toEqual(patternBytes(64, 3));
    expect(coming.state.restarted).toBe(1);
  });

  test.each<[string, () => void]>([
    ["another tag", () => (server.intercept = (_, n) => (n === 2 ? part("bytes 30-63/64", '"v2"') : undefined))],
    ["another start", () => (server.intercept = (_, n) => (n === 2 ? part("bytes 29-63/64", '"v1"') : undefined))],
  ])("download() never mixes the bytes of a 206 with %s", async (_, prepare) => {
    prepare();
    server.cuts.push(30);
    await expect(download(server.fileUrl, NOW).done).rejects.toMatchObject({ code: "response_refused" });
  });

  const part = (range: string, etag: string): { status: number; headers: Record<string, string>; body: string } => ({
    status: 206,
    headers: { "content-range": range, etag },
    body: "x".repeat(34),
  });

  test("download() takes a clean end before the announced size for a cut", async () => {
    server.file.tellsLength = false;
    server.file.headers = { "tailrace-content-length": "64" };
    server.file.ranges = false;
    server.intercept = (_, attempt) =>
      attempt === 1
        ? { status: 200, headers: { etag: '"v1"', "tailrace-content-length": "64" }, body: "short" }
        : undefined;
    const coming = download(server.fileUrl, NOW);
    const { blob } = await coming.done;
    expect(await bytesOf(blob)).toEqual(BYTES);
    expect(ranges()[1]).toEqual(["bytes=5-", '"v1"']);
    expect(coming.state.restarted).toBe(1);
  });

  test("download() without any length knows the size only in the end", async () => {
    Object.assign(server.file, { tellsLength: false, ranges: false });
    const totals = new Set<number | null>();
    const coming = download(server.fileUrl, NOW);
    coming.subscribe(() => totals.add(coming.state.totalBytes));
    expect((await coming.done).bytes).toBe(64);
    expect([...totals]).toEqual([null, 64]);
  });

  test("download() of an empty file is complete, by 416 and by 200", async () => {
    server.file.bytes = Buffer.alloc(0);
    expect((await download(server.fileUrl, NOW).done).blob?.size).toBe(0);
    server.file.ranges = false;
    expect((await download(server.fileUrl, NOW).done).blob?.size).toBe(0);
    expect(server.seen.length).toBe(2);
  });

  test("download() refuses more bytes than were announced", async () => {
    server.intercept = () => ({ status: 200, headers: { "tailrace-content-length": "3" }, body: "four" });
    await expect(download(server.fileUrl, NOW).done).rejects.toMatchObject({
      code: "response_refused",
      details: { announced: 3, received: 4 },
    });
  });

  test.each([
    ["Repr-Digest", (): DownloadOptions => ((server.file.headers = { "repr-digest": reprDigest(Buffer.of(1)) }), NOW)],
    ["the sha256 option", (): DownloadOptions => ({ ...NOW, sha256: "0".repeat(64) })],
  ])("download() gives no file that is not what %s says", async (_, prepare) => {
    const sink = gather();
    const coming = download(server.fileUrl, { ...prepare(), to: sink.stream });
    await expect(coming.done).rejects.toMatchObject({ code: "digest_mismatch", details: { bytes: 64 } });
    expect([sink.ended, coming.state.status]).toEqual(["aborted", "failed"]);
  });

  test.each([
    [64, "done"],
    [63, "failed"],
  ])("download() with maxBytes %i of a file of 64 has %s", async (maxBytes, status) => {
    for (const tellsLength of [true, false]) {
      Object.assign(server.file, { tellsLength, ranges: tellsLength });
      const coming = download(server.fileUrl, { ...NOW, maxBytes });
      const code = await coming.done.then(
        () => undefined,
        (error: { readonly code: string }) => error.code,
      );
      expect([coming.state.status, code]).toEqual([status, status === "done" ? undefined : "limit_exceeded"]);
    }
  });

  test("download() fails at once on a 404, and keeps trying after a 503", async () => {
    server.intercept = (_, attempt) => (attempt === 1 ? { status: 503, headers: { "retry-after": "0" } } : undefined);
    await download(server.fileUrl, NOW).done;
    expect(server.seen.length).toBe(2);
    server.intercept = () => ({ status: 404 });
    await expect(download(server.fileUrl, NOW).done).rejects.toMatchObject({
      code: "response_refused",
      details: { status: 404 },
    });
    expect(() => download("/relative")).toThrow(/absolute/);
  });

  test("download() that is cut at the same place again and again fails in the end", async () => {
    server.file.etag = undefined;
    server.cuts.push(30, 30, 30, 30, 30);
    const coming = download(server.fileUrl, { ...NOW, maxAttempts: 3 });
    await expect(coming.done).rejects.toMatchObject({ code: "connection_failed", details: { attempts: 3 } });
  });

  test("download() takes silence for a cut", async () => {
    let calls = 0;
    const coming = download("http://example.invalid/file", {
      ...NOW,
      idleMs: 20,
      fetch: async () => {
        calls += 1;
        const isSilent = calls === 1;
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            if (isSilent) return controller.enqueue(new Uint8Array(3));
            controller.enqueue(new Uint8Array(7));
            controller.close();
          },
        });
        const headers = isSilent
          ? { "content-length": "10", etag: '"a"' }
          : { "content-range": "bytes 3-9/10", etag: '"a"' };
        return new Response(body, { status: isSilent ? 200 : 206, headers });
      },
    });
    expect((await coming.done).bytes).toBe(10);
    expect(calls).toBe(2);
  });

  test("a server that sends a little less each time, without a validator, does not loop", async () => {
    Object.assign(server.file, { etag: undefined, maxRangeBytes: 20 });
    const { blob } = await download(server.fileUrl, NOW).done;
    expect(await bytesOf(blob)).toEqual(BYTES);
    expect(ranges()).toEqual([
      ["bytes=0-", undefined],
      [undefined, undefined],
    ]);
  });
});
