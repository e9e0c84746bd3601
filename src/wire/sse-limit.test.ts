// The size limit of the decoder of server-sent events: at it, one past it, and the same under every split.

import { describe, expect, test } from "vitest";
import { isTailraceError } from "../errors.ts";
import { createEventDecoder, DEFAULT_MAX_EVENT_BYTES, type EventDecoderOptions } from "./sse-decode.ts";

/** One thing that the decoder tells, in the order told. */
type Told =
  | { readonly event: string; readonly data: string; readonly id: string }
  | { readonly comment: string }
  | { readonly retry: number };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Heard {
  readonly told: readonly Told[];
  readonly lastEventId: string;
}

function decode(chunks: Iterable<Uint8Array>, options: Partial<EventDecoderOptions> = {}): Heard {
  const told: Told[] = [];
  const decoder = createEventDecoder({
    onEvent: (event) => told.push(event),
    onRetry: (retry) => told.push({ retry }),
    onComment: (comment) => told.push({ comment }),
    ...options,
  });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return { told, lastEventId: decoder.lastEventId };
}

/** Every way to cut `bytes` into one, two or three pieces, and into single bytes. The cuts lie from `from` to `to`. */
function* splits(bytes: Uint8Array, from = 0, to: number = bytes.length): Generator<readonly Uint8Array[]> {
  yield [bytes];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let first = from; first <= to; first++) {
    for (let second = first; second <= to; second++) {
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
    }
  }
}

function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

describe("createEventDecoder with maxEventBytes", () => {
  // Each is one block of 11 bytes, not counting the blank line that ends it; a comment alone is 11 bytes without its line end.
  const blocks: readonly (readonly [string, string])[] = [
    ["data", "data: abcd\n\n"],
    ["data with CRLF", "data: abc\r\n\r\n"],
    ["data with CR", "data: abcd\r\r"],
    ["two data lines", "data:\ndata\n\n"],
    ["a comment", ": comment..\n\n"],
    ["a field and a comment", "a\n: 345678\n\n"],
    ["an unknown field", "unknown: 1\n\n"],
    ["three-byte characters", "data: \u3042a\n\n"],
    ["a four-byte character", "data:\u{1f600}a\n\n"],
    ["an invalid byte", "data:12345\n\n"],
  ];
  const good = utf8("data: 1\n\n");

  for (const [name, text] of blocks) {
    const bytes = utf8(text);
    if (name === "an invalid byte") bytes[7] = 0xff;

    test(`passes ${name} at the limit, under every split`, () => {
      const whole = Uint8Array.of(...good, ...bytes, ...bytes, ...good, ...bytes);
      const expected = decode([whole]);
      expect(expected.told.length).toBeGreaterThanOrEqual(2);
      for (const chunks of splits(whole)) expect(decode(chunks, { maxEventBytes: 11 })).toEqual(expected);
    });

    test(`refuses ${name} one past the limit, under every split`, () => {
      const whole = Uint8Array.of(...good, ...bytes, ...good);
      for (const chunks of splits(whole)) {
        const told: string[] = [];
        const decoder = createEventDecoder({ onEvent: (event) => told.push(event.data), maxEventBytes: 10 });
        let caught: unknown;
        try {
          for (const chunk of chunks) decoder.push(chunk);
        } catch (error) {
          caught = error;
        }
        expect(isTailraceError(caught, "limit_exceeded") && caught.details).toEqual({ maxEventBytes: 10 });
        expect(told).toEqual(["1"]);
        expect(() => decoder.push(good)).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
        decoder.end();
        expect(told).toEqual(["1"]);
      }
    });
  }

  test("does not add up comments that stand alone, under every split", () => {
    const whole = utf8(": ping\n: ping\r\n: ping\r: ping\n\ndata: 1\n\n: ping\n: ping\ndata: 2\n\n");
    const expected = decode([whole]);
    expect(expected.told.filter((each) => "data" in each).map((each) => each.data)).toEqual(["1", "2"]);
    expect(expected.told).toHaveLength(8);
    for (const chunks of splits(whole)) expect(decode(chunks, { maxEventBytes: 8 })).toEqual(expected);
  });

  test("counts an unfinished line, and the lines of a block together", () => {
    expect(() => decode([utf8("data: abcdef")], { maxEventBytes: 12 })).not.toThrow();
    expect(() => decode([utf8("data: abcdefg")], { maxEventBytes: 12 })).toThrow(
      expect.objectContaining({ code: "limit_exceeded" }),
    );
    expect(() => decode([utf8("a\nb\nc\nd\ne\nf\n")], { maxEventBytes: 12 })).not.toThrow();
    expect(() => decode([utf8("a\nb\nc\nd\ne\nf\ng")], { maxEventBytes: 12 })).toThrow(
      expect.objectContaining({ code: "limit_exceeded" }),
    );
  });

  test("does not count a byte-order mark", () => {
    for (const chunks of splits(utf8("\ufeffdata: abcd\n\n"))) {
      expect(decode(chunks, { maxEventBytes: 11 }).told).toHaveLength(1);
    }
  });

  test("is 1 MiB by default", () => {
    const line = `data: ${"x".repeat(DEFAULT_MAX_EVENT_BYTES - 7)}\n`;
    for (const size of [100, 16_384, DEFAULT_MAX_EVENT_BYTES + 2]) {
      expect(decode(chunksOf(utf8(`${line}\n`), size)).told).toHaveLength(1);
      expect(() => decode(chunksOf(utf8(`x${line}\n`), size))).toThrow(
        expect.objectContaining({ code: "limit_exceeded" }),
      );
    }
  });

  test("counts bytes, not characters, in long text", () => {
    const block = (size: number): Uint8Array => utf8(`data: ${"\u3042".repeat(300)}${"x".repeat(size - 907)}\n\n`);
    for (const size of [1, 100, 400, 4_096]) {
      const whole = Uint8Array.of(...block(2_000), ...block(2_000));
      expect(decode(chunksOf(whole, size), { maxEventBytes: 2_000 }).told).toHaveLength(2);
      expect(() => decode(chunksOf(block(2_001), size), { maxEventBytes: 2_000 })).toThrow(
        expect.objectContaining({ code: "limit_exceeded" }),
      );
    }
  });

  test("throws what a callback threw before the limit, then the limit", () => {
    const decoder = createEventDecoder({
      onEvent: () => {
        throw new Error("mine");
      },
      maxEventBytes: 10,
    });
    expect(() => decoder.push(utf8("data: 1\n\ndata: 2345678\n\n"))).toThrow("mine");
    expect(() => decoder.push(utf8("x"))).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
  });

  test("takes Infinity, and refuses what is no limit", () => {
    expect(
      decode([utf8(`data: ${"x".repeat(2_000_000)}\n\n`)], { maxEventBytes: Number.POSITIVE_INFINITY }).told,
    ).toHaveLength(1);
    for (const maxEventBytes of [0, -1, Number.NaN]) {
      expect(() => createEventDecoder({ onEvent: () => undefined, maxEventBytes })).toThrow(
        expect.objectContaining({ code: "input_invalid" }),
      );
    }
  });
});
