import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { TailraceError } from "../errors.ts";
import { openReplies } from "../reply/open-replies.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { problemOf, fed, nextTurn, type Part, post, streamed, upper } from "./transform.test-support.ts";
import { transform } from "./transform.ts";

afterEach(() => {
  if (openReplies().size > 0) throw new Error("A reply is still counted as open.");
  vi.restoreAllMocks();
});

describe("transform() refusing before the first byte", () => {
  const gzip = { "content-encoding": "gzip" };
  const digest = (text: string): string => `sha-256=:${createHash("sha256").update(text).digest("base64")}:`;

  test.each<[string, () => Promise<Response>, number, string | undefined]>([
    [
      "bytes that are no UTF-8",
      () => transform(post([Uint8Array.of(0xff, 0x61)]), upper, { as: "text" }),
      400,
      "decode_failed",
    ],
    [
      "a character cut off",
      () => transform(post([Uint8Array.of(0xe6, 0xb0)]), upper, { as: "text" }),
      400,
      "decode_failed",
    ],
    ["a bad row", () => transform(post(["1\nx\n"]), (row) => row, { as: "rows" }), 400, "decode_failed"],
    [
      "a row too large",
      () => transform(post(["12345\n"]), (row) => row, { as: "rows", maxRowBytes: 4 }),
      413,
      "limit_exceeded",
    ],
    [
      "a line too large",
      () => transform(post(["12345\n"]), upper, { as: "lines", maxLineBytes: 4 }),
      413,
      "limit_exceeded",
    ],
    [
      "a body one byte too large",
      () => transform(post(["12345"]), upper, { as: "text", maxBytes: 4 }),
      413,
      "limit_exceeded",
    ],
    [
      "an announced size over the limit",
      () => transform(post(["1"], { "content-length": "5" }), upper, { as: "text", maxBytes: 4 }),
      413,
      "limit_exceeded",
    ],
    [
      "a body shorter than announced",
      () => transform(post(["1"], { "content-length": "5" }), upper, { as: "text" }),
      400,
      "truncated",
    ],
    [
      "a wrong digest",
      () => transform(post(["1"], { "content-digest": digest("2") }), upper, { as: "text" }),
      400,
      "digest_mismatch",
    ],
    [
      "another coding",
      () => transform(post(["1"], { "content-encoding": "br" }), upper, { as: "text" }),
      415,
      "type_refused",
    ],
    [
      "two codings",
      () => transform(post(["1"], { "content-encoding": "gzip, gzip" }), upper, { as: "text" }),
      415,
      "type_refused",
    ],
    ["what is no gzip", () => transform(post(["hello"], gzip), upper, { as: "text" }), 400, "decode_failed"],
    [
      "a gzip that was cut",
      () => transform(post([gzipSync("hello").subarray(0, 10)], gzip), upper, { as: "text" }),
      400,
      "decode_failed",
    ],
    [
      "a part of a body",
      () => transform(post(["1"], { "content-range": "bytes 0-0/2" }), upper, { as: "text" }),
      400,
      "input_invalid",
    ],
    [
      "an error of fn's own",
      () =>
        transform(
          post(["1"]),
          () => {
            throw new TailraceError("input_invalid", "no");
          },
          { as: "text" },
        ),
      422,
      "input_invalid",
    ],
  ])("transform() of %s", async (_what, work, status, code) => {
    const reported = vi.spyOn(console, "error");
    expect(await problemOf(await work())).toBe(`${status} ${String(code)}`);
    expect(reported).not.toHaveBeenCalled();
  });

  test("transform() takes what is right at its limits", async () => {
    const text = async (parts: Part[], options: object, headers: Record<string, string> = {}): Promise<string> =>
      (await transform(post(parts, headers), (piece) => piece as unknown as string, options)).text();
    expect(await text(["1234"], { as: "text", maxBytes: 4 })).toBe("1234");
    expect(await text(["1234"], { as: "text", maxBytes: 4 }, { "content-length": "4" })).toBe("1234");
    expect(await text(["1234\n"], { as: "rows", maxRowBytes: 4 })).toBe("1234\n");
    expect(await text(["1234\n"], { as: "lines", maxLineBytes: 4 })).toBe("1234\n");
    expect(await text(["12"], { as: "text" }, { "content-digest": digest("12") })).toBe("12");
  });

  test("transform() says which codings it takes", async () => {
    const response = await transform(post(["1"], { "content-encoding": "br" }), upper, { as: "text" });
    expect(response.headers.get("accept-encoding")).toBe("gzip, deflate");
  });

  test("transform() answers 500 to what fn throws, and tells onError alone", async () => {
    const onError = vi.fn<(error: unknown) => void>();
    const fn = (): string => {
      throw new Error("secret");
    };
    const response = await transform(post(["1"]), fn, { as: "text", onError });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(onError.mock.calls).toEqual([[expect.objectContaining({ message: "secret" })]]);
  });

  test("transform() refuses a sender that is silent", async () => {
    const clock = createManualClock();
    const body = fed();
    const answer = transform(streamed(body.stream), upper, { as: "text", clock, idleMs: 1_000 });
    await nextTurn();
    clock.advance(1_000);
    expect(await problemOf(await answer)).toBe("408 too_slow");
    clock.advance(2_000); // no more than that the rest is read and thrown away
    await vi.waitFor(() => expect(body.cancelled()).toBe(1));
    expect(clock.timerCount).toBe(0);
  });
});
