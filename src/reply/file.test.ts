import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { DONE } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import type { FileOptions } from "./file-options.ts";
import type { FileLike, FileSource, Sliceable } from "./file-source.ts";
import { file } from "./file.ts";
import { openReplies } from "./open-replies.ts";
import { shutdown } from "./shutdown.ts";

const BYTES = Uint8Array.from({ length: 600_000 }, (_, index) => (index * 7) % 251);

const get = (headers: HeadersInit = {}, init: RequestInit = {}): Request =>
  new Request("http://test/", { headers, ...init });

const bytesOf = async (response: Response): Promise<Uint8Array> => new Uint8Array(await response.arrayBuffer());

/** A source that says when it is closed, gives `pieceBytes` at a time and has `actual` bytes, whatever it announces. */
function watched(
  changes: { size?: number; actual?: number; pieceBytes?: number; fault?: Error } & Partial<FileSource> = {},
): FileSource & { readonly close: ReturnType<typeof vi.fn<() => void>>; readonly read: ReturnType<typeof vi.fn> } {
  const { size = 1_000, actual = size, pieceBytes = 300, fault, ...rest } = changes;
  return {
    ...rest,
    size,
    close: vi.fn<() => void>(),
    read: vi.fn((start: number): BytePull => {
      let at = start;
      return {
        async next() {
          await Promise.resolve();
          if (at >= actual) {
            if (fault !== undefined) throw fault;
            return DONE;
          }
          const value: Chunk = BYTES.slice(at, Math.min(at + pieceBytes, actual));
          at += value.byteLength;
          return { done: false, value };
        },
        close: () => undefined,
      };
    }),
  };
}

describe("file() of each kind of source", () => {
  const s3 = (slice: Sliceable["slice"]): Sliceable => ({ size: BYTES.length, etag: '"s3"', slice });
  const sources: Record<string, () => FileLike> = {
    bytes: () => BYTES,
    "a part of a larger buffer": () => new Uint8Array([9, ...BYTES.subarray(0, 599_999), 9]).subarray(1, 600_000),
    "an ArrayBuffer": () => BYTES.buffer,
    "a Blob": () => new Blob([BYTES]),
    "a File": () => new File([BYTES], "a.bin"),
    "a slice that gives a Blob": () => s3((start, end) => new Blob([BYTES.slice(start, end)])),
    "a slice that gives a promise": () => s3(async (start, end) => new Blob([BYTES.slice(start, end)])),
    "a slice that gives a stream": () => s3((start, end) => new Blob([BYTES.slice(start, end)]).stream()),
    "a slice that gives a generator": () =>
      s3(async function* (start, end) {
        for (let at = start; at < end; at += 70_000) yield BYTES.slice(at, Math.min(end, at + 70_000));
      }),
  };

  test.each(Object.entries(sources))("%s", async (_name, make) => {
    const source = make();
    const size = "size" in source ? source.size : source.byteLength;
    const whole = file(get(), source);
    expect(whole.headers.get("content-length")).toBe(String(size));
    expect(Buffer.from(await bytesOf(whole)).equals(BYTES.subarray(0, size))).toBe(true);
    const part = file(get({ range: "bytes=299990-300009" }), make());
    expect(part.status).toBe(206);
    expect(await bytesOf(part)).toEqual(new Uint8Array(BYTES.subarray(299_990, 300_010)));
  });

  test("a File gives its name, type and time; an empty type is taken from the name", () => {
    const { headers } = file(get(), new File(["x"], "ä.csv", { lastModified: 784_111_777_000 }), {
      disposition: "attachment",
    });
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("last-modified")).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
    expect(headers.get("content-disposition")).toBe(`attachment; filename="_.csv"; filename*=UTF-8''%C3%A4.csv`);
  });

  test.each([undefined, null, "text", {}, { size: 1 }, { size: -1, slice: () => new Blob() }, { size: NaN, slice: 1 }])(
    "refuses %o before it replies",
    (source) => {
      expect(() => file(get(), source as never)).toThrow(TailraceError);
    },
  );

  test("gives exactly the bytes of any range, however the source is cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.nat(999), fc.integer({ min: 1, max: 1_000 }), async (a, b, pieceBytes) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const source = watched({ pieceBytes });
        const response = file(get({ range: `bytes=${from}-${to}` }), source);
        expect(response.headers.get("content-range")).toBe(`bytes ${from}-${to}/1000`);
        expect(await bytesOf(response)).toEqual(BYTES.slice(from, to + 1));
        expect(source.close).toHaveBeenCalledTimes(1);
      }),
      { numRuns: 300 },
    );
  });
});

describe("file() keeps to what it announced", () => {
  test("a source that gives more is bounded", async () => {
    const source = watched({ size: 500, actual: 1_000 });
    expect(await bytesOf(file(get(), source))).toEqual(BYTES.slice(0, 500));
    expect(source.close).toHaveBeenCalledTimes(1);
  });

  test("a source that falls short is an error, told to onError", async () => {
    const onError = vi.fn();
    const source = watched({ size: 1_000, actual: 999 });
    await expect(file(get(), source, { onError }).arrayBuffer()).rejects.toMatchObject({ code: "source_failed" });
    expect(onError).toHaveBeenCalledTimes(1);
    expect(source.close).toHaveBeenCalledTimes(1);
    expect(openReplies().size).toBe(0);
  });

  test("a source that falls short in a part of a multipart is an error", async () => {
    const source = watched({ size: 1_000, actual: 900 });
    const response = file(get({ range: "bytes=0-1,950-951" }), source, { onError: () => undefined });
    await expect(response.arrayBuffer()).rejects.toMatchObject({ code: "source_failed" });
    expect(source.close).toHaveBeenCalledTimes(1);
  });

  test("a source that fails is an error", async () => {
    const fault = new Error("disk");
    const onError = vi.fn();
    const source = watched({ actual: 300, fault });
    await expect(file(get(), source, { onError }).arrayBuffer()).rejects.toBe(fault);
    expect(onError).toHaveBeenCalledExactlyOnceWith(fault);
    expect(source.close).toHaveBeenCalledTimes(1);
  });
});

describe("file() closes its source once, and opens it only to send", () => {
  const ways: Record<string, { request?: Request; options?: FileOptions; status: number }> = {
    HEAD: { request: get({}, { method: "HEAD" }), status: 200 },
    304: { request: get({ "if-none-match": "*" }), status: 304 },
    412: { request: get({ "if-match": '"x"' }), status: 412 },
    416: { request: get({ range: "bytes=1000-" }), status: 416 },
    offload: { options: { offload: { header: "x-sendfile", path: "/a" } }, status: 200 },
    "a reader that had left before": { request: get({}, { signal: AbortSignal.abort() }), status: 200 },
  };
  test.each(Object.entries(ways))("%s", (_name, { request = get(), options, status }) => {
    const source = watched();
    expect(file(request, source, options).status).toBe(status);
    expect(source.close).toHaveBeenCalledTimes(1);
    expect(source.read).not.toHaveBeenCalled();
    expect(openReplies().size).toBe(0);
  });

  test.each(["cancel", "abort", "abort before the first read"])("%s", async (way) => {
    const source = watched();
    const controller = new AbortController();
    const response = file(get({}, { signal: controller.signal }), source);
    if (way === "abort before the first read") {
      controller.abort();
      await expect(response.arrayBuffer()).rejects.toMatchObject({ code: "aborted" });
      expect(source.read).not.toHaveBeenCalled();
    } else {
      const reader = response.body!.getReader();
      await reader.read();
      expect(openReplies().size).toBe(1);
      if (way === "cancel") await reader.cancel();
      else {
        controller.abort();
        // An end would pass for the whole.
        await expect(reader.read()).rejects.toMatchObject({ code: "aborted" });
      }
    }
    expect(source.close).toHaveBeenCalledTimes(1);
    expect(openReplies().size).toBe(0);
  });

  test("an option that no header can carry", () => {
    for (const options of [{ etag: "v1" }, { type: "a\nb" }, { cacheControl: "\u0100" }]) {
      const source = watched();
      expect(() => file(get(), source, options)).toThrow(expect.objectContaining({ code: "encode_refused" }));
      expect(source.close).toHaveBeenCalledTimes(1);
    }
  });

  test("shutdown() lets it finish, and cuts it after graceMs", async () => {
    const slow = watched();
    const reader = file(get(), slow).body!.getReader();
    await reader.read();
    await shutdown({ graceMs: 30 });
    await expect(reader.read()).rejects.toMatchObject({ code: "closed" });
    expect(slow.close).toHaveBeenCalledTimes(1);
    expect(openReplies().size).toBe(0);
  });
});

describe("file() of a promise", () => {
  test("is a promise of the reply", async () => {
    expect(await (await file(get(), Promise.resolve(new Blob(["abc"])))).text()).toBe("abc");
  });

  test("is a 404 as problem details where there is no such file", async () => {
    const missing = Promise.reject(new TailraceError("not_found", "There is no such file."));
    const response = await file(get(), missing);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "not_found" });
  });

  test("passes on what is no error of ours", async () => {
    await expect(file(get(), Promise.reject(new Error("x")))).rejects.toThrow("x");
  });
});

describe("file() options", () => {
  test("the caller's headers win, but not those that say which bytes are sent", () => {
    const { headers } = file(get(), BYTES, {
      headers: {
        "cache-control": "private",
        "content-length": "1",
        "content-range": "bytes 0-0/1",
        "transfer-encoding": "chunked",
        etag: '"other"',
        "x-mine": "1",
      },
      etag: '"v1"',
    });
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "private",
      "content-length": "600000",
      etag: '"v1"',
      "x-mine": "1",
    });
    expect(headers.has("transfer-encoding")).toBe(false);
    expect(headers.has("content-range")).toBe(false);
  });

  test("a part keeps the caller's cache-control as it is", () => {
    const part = (options: FileOptions): string | null =>
      file(get({ range: "bytes=0-0" }), BYTES, options).headers.get("cache-control");
    expect(part({ cacheControl: "public, max-age=60" })).toBe("public, max-age=60");
    expect(part({ headers: { "cache-control": "no-store" } })).toBe("no-store");
    expect(part({})).toBe("max-age=0, must-revalidate, no-transform");
  });

  test("maxRanges: 0 turns ranges off", () => {
    const { status, headers } = file(get({ range: "bytes=0-0" }), BYTES, { maxRanges: 0 });
    expect(status).toBe(200);
    expect(headers.get("accept-ranges")).toBe("none");
  });

  test("a name alone is shown inline", () => {
    const { headers } = file(get(), BYTES, { name: "a.mp4" });
    expect(headers.get("content-disposition")).toBe('inline; filename="a.mp4"');
    expect(headers.get("content-type")).toBe("video/mp4");
  });

  test("offload names the file to the server in front, encoded, and leaves conditions and ranges to it", () => {
    const request = get({ range: "bytes=0-0", "if-none-match": "*" });
    const { status, headers, body } = file(request, new File(["x"], "ä b.txt"), {
      disposition: "attachment",
      offload: { header: "x-accel-redirect", path: "/files/ä b?#%.txt" },
    });
    expect([status, body]).toEqual([200, null]);
    expect(headers.get("x-accel-redirect")).toBe("/files/%C3%A4%20b%3F%23%25.txt");
    expect(headers.get("content-disposition")).toContain("attachment");
    for (const name of ["content-length", "etag", "last-modified", "accept-ranges"])
      expect(headers.has(name)).toBe(false);
  });
});

describe("file() variants", () => {
  const variants = (): NonNullable<FileOptions["variants"]> => [
    { encoding: "br", source: watched({ size: 10, etag: '"own-br"' }) },
    { encoding: "gzip", source: watched({ size: 20 }) },
  ];
  const ask = (acceptEncoding: string, more: Record<string, string> = {}): Response =>
    file(get({ "accept-encoding": acceptEncoding, ...more }), watched({ size: 100, name: "a.js", etag: '"v1"' }), {
      variants: variants(),
    });

  test.each([
    ["gzip, br", "br", "10", '"own-br"'],
    ["gzip", "gzip", "20", '"v1-gzip"'],
    ["identity", null, "100", '"v1"'],
    ["", null, "100", '"v1"'],
  ])("%s gets %s, with a tag of its own", (accept, encoding, length, etag) => {
    const { headers } = ask(accept);
    expect(headers.get("content-encoding")).toBe(encoding);
    expect(headers.get("content-length")).toBe(length);
    expect(headers.get("etag")).toBe(etag);
    expect(headers.get("vary")).toBe("accept-encoding");
    expect(headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  });

  test("a tag given as an option is made different for each encoding", () => {
    const etagFor = (accept: string): string | null =>
      file(get({ "accept-encoding": accept }), watched(), { etag: '"v9"', variants: variants() }).headers.get("etag");
    expect([etagFor("br"), etagFor("gzip"), etagFor("")]).toEqual(['"v9-br"', '"v9-gzip"', '"v9"']);
  });

  test("conditions and ranges are those of the encoded bytes", async () => {
    expect(ask("gzip", { "if-none-match": '"v1"' }).status).toBe(200);
    const cached = ask("gzip", { "if-none-match": '"v1-gzip"' });
    expect([cached.status, cached.headers.get("vary")]).toEqual([304, "accept-encoding"]);
    const part = ask("gzip", { range: "bytes=10-" });
    expect(part.headers.get("content-range")).toBe("bytes 10-19/20");
    expect(part.headers.get("content-encoding")).toBe("gzip");
    expect(await bytesOf(part)).toEqual(BYTES.slice(10, 20));
    expect(ask("gzip", { range: "bytes=20-" }).headers.get("vary")).toBe("accept-encoding");
  });

  test("those that are not sent are closed", () => {
    const all = variants();
    file(get({ "accept-encoding": "gzip" }, { method: "HEAD" }), watched(), { variants: all });
    for (const { source } of all) expect((source as ReturnType<typeof watched>).close).toHaveBeenCalledTimes(1);
  });

  test("keeps what the caller varies by", () => {
    const options = { headers: { vary: "cookie" }, variants: variants() };
    expect(file(get(), watched(), options).headers.get("vary")).toBe("cookie, accept-encoding");
  });
});
