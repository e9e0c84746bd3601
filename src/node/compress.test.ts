import zlib from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { file } from "../reply/file.ts";
import { pullOf } from "../reply/reply.ts";
import { ndjson } from "../reply/rows.ts";
import { sse } from "../reply/sse.ts";
import { compress, type CompressOptions } from "./compress.ts";
import { isCompressibleType } from "./compress-types.ts";
import { ask, decoded, encodingOf, LONG, plain } from "./compress.test-support.ts";

const longFile = (): Blob => new Blob([LONG], { type: "text/plain" });

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("compress() choosing", () => {
  test.each<[accept: string | undefined, wanted: string | null, options?: CompressOptions]>([
    [undefined, null],
    ["", null],
    ["gzip", "gzip"],
    ["GZIP", "gzip"],
    ["x-gzip", "gzip"],
    ["deflate", null],
    ["identity", null],
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip, deflate, br", "br"],
    ["gzip;q=1, br;q=0.9, zstd;q=0.1", "gzip"],
    ["br;q=0, gzip;q=0.001", "gzip"],
    ["identity;q=1, gzip;q=0.5", null],
    ["identity;q=0.5, gzip;q=0.5", "gzip"],
    ["*", "zstd"],
    ["*;q=0.1, gzip;q=0.2", "gzip"],
    ["*;q=0", null],
    ["identity;q=0", null],
    ["identity;q=0, *", "zstd"],
    ["gzip;q=nonsense", null],
    ["gzip, br, zstd", "br", { encodings: ["br", "gzip"] }],
    ["zstd", null, { encodings: ["br", "gzip"] }],
    ["gzip, br, zstd", null, { encodings: [] }],
  ])("%s gives %s", async (accept, wanted, options) => {
    const response = compress(ask(accept), plain(), options);
    expect(encodingOf(response)).toBe(wanted);
    expect(response.headers.get("vary")).toBe("accept-encoding");
    expect(await decoded(response)).toBe(LONG);
  });

  test("prefers gzip for event streams, where it is the shortest", async () => {
    const request = ask("gzip, br, zstd");
    const response = compress(request, sse(request, ["a"]));
    expect(encodingOf(response)).toBe("gzip");
    expect(await decoded(response)).toContain("data: a\n\n");
  });

  test("passes zstd over where Node has none", () => {
    vi.spyOn(zlib as { readonly createZstdCompress?: unknown }, "createZstdCompress", "get").mockReturnValue(undefined);
    expect(encodingOf(compress(ask("zstd, br"), plain()))).toBe("br");
    expect(encodingOf(compress(ask("zstd"), plain()))).toBe(null);
  });

  test.each([
    [1_023, null],
    [1_024, "gzip"],
  ])("a reply that says that it has %i bytes: %s", (bytes, wanted) => {
    const headers = { "content-length": String(bytes) };
    expect(encodingOf(compress(ask("gzip"), plain(headers)))).toBe(wanted);
    expect(encodingOf(compress(ask("gzip"), plain(headers), { minBytes: 1 }))).toBe("gzip");
    expect(encodingOf(compress(ask("gzip, identity;q=0"), plain(headers)))).toBe("gzip");
  });

  test.each([
    ["text/html", true],
    ["text/event-stream", true],
    ["application/json", true],
    ["application/problem+json", true],
    ["application/x-ndjson", true],
    ["application/xml", true],
    ["application/wasm", true],
    ["image/svg+xml", true],
    ["text/csv", true],
    ["image/png", false],
    ["video/mp4", false],
    ["audio/mpeg", false],
    ["font/woff2", false],
    ["application/zip", false],
    ["application/gzip", false],
    ["application/octet-stream", false],
    ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", false],
  ])("isCompressibleType(%s) is %s", (type, wanted) => {
    expect(isCompressibleType(type)).toBe(wanted);
    const response = compress(ask("gzip"), plain({ "content-type": `${type.toUpperCase()} ; a=b` }));
    expect(encodingOf(response)).toBe(wanted ? "gzip" : null);
    expect(response.headers.get("vary")).toBe(wanted ? "accept-encoding" : null);
  });

  test("takes types of the caller's choice", () => {
    const types = (type: string): boolean => type === "image/png";
    expect(encodingOf(compress(ask("gzip"), plain({ "content-type": "image/png" }), { types }))).toBe("gzip");
    expect(encodingOf(compress(ask("gzip"), plain(), { types }))).toBe(null);
  });

  test.each<[name: string, headers: Record<string, string>, status: number]>([
    ["a part", { "content-range": "bytes 0-1/2" }, 206],
    ["a part of unusual status", { "content-range": "bytes 0-1/2" }, 200],
    ["what is coded already", { "content-encoding": "br" }, 200],
    ["what has no type", { "content-type": "" }, 200],
  ])("leaves %s", async (_name, headers, status) => {
    const response = compress(ask("gzip"), plain(headers, status));
    expect(encodingOf(response)).toBe(headers["content-encoding"] ?? null);
    expect(Buffer.from(await response.arrayBuffer()).toString()).toBe(LONG);
  });

  test.each([204, 205, 304])("leaves a %i", (status) => {
    const given = new Response(null, { status, headers: { "content-type": "text/plain" } });
    expect(compress(ask("gzip"), given)).toBe(given);
    expect(encodingOf(compress(ask("gzip", { method: "HEAD" }), given))).toBe(null);
  });

  test("does not code twice", async () => {
    const request = ask("gzip");
    const once = compress(request, plain());
    expect(compress(request, once)).toBe(once);
    expect(await decoded(once)).toBe(LONG);
  });

  test.each([
    [{ gzip: 0 }, "gzip"],
    [{ gzip: 10 }, "gzip"],
    [{ br: 12 }, "br"],
    [{ zstd: 20 }, "zstd"],
    [{ br: 1.5 }, "br"],
  ])("refuses the level %j", (levels, name) => {
    expect(() => compress(ask("gzip"), plain(), { levels })).toThrow(new RegExp(`^${name} has the levels`));
  });

  test.each([
    [{ gzip: 1, br: 0, zstd: 1 }, "at least"],
    [{ gzip: 9, br: 11, zstd: 19 }, "at most"],
  ])("takes the levels %j (%s)", async (levels) => {
    for (const encoding of ["gzip", "br", "zstd"] as const) {
      const response = compress(ask(encoding), plain(), { levels });
      expect(encodingOf(response)).toBe(encoding);
      expect(await decoded(response)).toBe(LONG);
    }
  });
});

describe("compress() and headers", () => {
  test("takes away what speaks of other bytes, and keeps the rest", () => {
    const given = {
      "accept-ranges": "bytes",
      "cache-control": "no-cache, no-transform",
      "content-digest": "sha-256=:AA==:",
      "content-length": "4200",
      "repr-digest": "sha-256=:AA==:",
      "tailrace-content-length": "4200",
      vary: "origin",
      "x-a": "b",
    };
    const { headers } = compress(ask("gzip"), plain(given, 203));
    expect(Object.fromEntries(headers)).toEqual({
      "cache-control": "no-cache, no-transform",
      "content-encoding": "gzip",
      "content-type": "text/plain; charset=utf-8",
      vary: "origin, accept-encoding",
      "x-a": "b",
    });
  });

  test("keeps the status and several cookies", () => {
    const given = plain({}, 404);
    given.headers.append("set-cookie", "a=1");
    given.headers.append("set-cookie", "b=2");
    const response = compress(ask("gzip"), given);
    expect([response.status, response.headers.getSetCookie()]).toEqual([404, ["a=1", "b=2"]]);
  });

  test("makes a strong tag weak, which makes the 304 of the next visit and never lets a range be resumed", async () => {
    const etag = '"v1"';
    const get = (accept: string, headers: Record<string, string> = {}): Response => {
      const request = ask(accept, { headers });
      return compress(request, file(request, longFile(), { etag }));
    };
    const first = get("gzip");
    expect([encodingOf(first), first.headers.get("etag")]).toEqual(["gzip", 'W/"v1"']);
    expect(first.headers.has("accept-ranges")).toBe(false);
    expect(await decoded(first)).toBe(LONG);

    const again = get("gzip", { "if-none-match": 'W/"v1"' });
    expect([again.status, again.headers.get("etag"), again.headers.get("vary")]).toEqual([
      304,
      'W/"v1"',
      "accept-encoding",
    ]);
    const plainAgain = get("gzip", { "if-none-match": etag });
    expect([plainAgain.status, plainAgain.headers.get("etag")]).toEqual([304, etag]);

    const resumed = get("gzip", { "if-range": 'W/"v1"', range: "bytes=10-" });
    expect([resumed.status, encodingOf(resumed)]).toEqual([200, "gzip"]);
    await resumed.body!.cancel();
    const part = get("gzip", { "if-range": etag, range: "bytes=10-19" });
    expect([part.status, part.headers.get("etag"), await part.text()]).toEqual([206, etag, LONG.slice(10, 20)]);
    expect(part.headers.get("content-length")).toBe("10");
    expect(part.headers.get("vary")).toBe("accept-encoding");
  });

  test("keeps a weak tag, and the length of what stays plain", async () => {
    expect(compress(ask("gzip"), plain({ etag: 'W/"v1"' })).headers.get("etag")).toBe('W/"v1"');
    const request = ask("identity");
    const response = compress(request, file(request, longFile(), { etag: '"v1"' }));
    expect([response.headers.get("etag"), response.headers.get("content-length")]).toEqual(['"v1"', "4200"]);
    expect(pullOf(response)).toBeDefined();
    expect(await response.text()).toBe(LONG);
  });

  test("gives a HEAD what a GET would get, and calls no source", async () => {
    const get = ask("br");
    const head = ask("br", { method: "HEAD" });
    const ofGet = compress(get, file(get, longFile(), { etag: '"v1"' }));
    const ofHead = compress(head, file(head, longFile(), { etag: '"v1"' }));
    expect(ofHead.body).toBe(null);
    expect(Object.fromEntries(ofHead.headers)).toEqual(Object.fromEntries(ofGet.headers));
    await ofGet.body!.cancel();
    const source = vi.fn<() => string[]>(() => []);
    expect(encodingOf(compress(head, ndjson(head, source)))).toBe("br");
    expect(encodingOf(compress(head, plain()))).toBe("br"); // a handler that answers a HEAD like a GET
    expect(source).not.toHaveBeenCalled();
  });
});
