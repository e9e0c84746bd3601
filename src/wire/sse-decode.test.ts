// The decoder of server-sent events beyond its grammar table: any input, what its callbacks may do, and eventsource-parser as a witness.

import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createEventDecoder, type EventDecoderOptions } from "./sse-decode.ts";

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

function chunksOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** Long enough that the decoder takes another way than for short chunks. */
const LONG = "x".repeat(600);

describe("createEventDecoder", () => {
  test("delivers an event at its CR, before the LF comes", () => {
    const told: string[] = [];
    const decoder = createEventDecoder({ onEvent: (event) => told.push(event.data) });
    decoder.push(utf8("data: a\r\n\r"));
    expect(told).toEqual(["a"]);
    decoder.push(utf8("\ndata: b\n\n"));
    expect(told).toEqual(["a", "b"]);
  });

  test("starts from the last event id of an earlier connection", () => {
    const { told, lastEventId } = decode([utf8("data: a\n\nid\ndata: b\n\n")], { lastEventId: "9" });
    expect(told).toEqual([
      { event: "message", data: "a", id: "9" },
      { event: "message", data: "b", id: "" },
    ]);
    expect(lastEventId).toBe("");
    expect(decode([], { lastEventId: "9" }).lastEventId).toBe("9");
  });

  test("commits the last event id before it calls onEvent", () => {
    const seen: string[] = [];
    const decoder = createEventDecoder({ onEvent: () => seen.push(decoder.lastEventId) });
    decoder.push(utf8("id: 1\ndata: a\n\nid: 2\ndata: b\n"));
    expect(seen).toEqual(["1"]);
    expect(decoder.lastEventId).toBe("1");
    decoder.push(utf8("\n"));
    expect(seen).toEqual(["1", "2"]);
  });

  test("keeps nothing of the caller's buffer", () => {
    const told: string[] = [];
    const decoder = createEventDecoder({ onEvent: (event) => told.push(event.data) });
    const buffer = utf8("data: abc");
    decoder.push(buffer);
    buffer.fill(0x7a);
    decoder.push(utf8("\n\n"));
    expect(told).toEqual(["abc"]);
  });

  test("takes a view into a larger buffer", () => {
    const buffer = utf8("zzdata: a\n\nzz");
    expect(decode([buffer.subarray(2, 11)]).told).toEqual([{ event: "message", data: "a", id: "" }]);
  });

  test("goes on behind events larger than any buffer it keeps", () => {
    const long = `${"x".repeat(300_000)}\u3042`;
    // What follows starts otherwise than what the buffer was filled with.
    const text = [long, "1", long, "2", "3"].map((data) => `data: ${data}\n\nid: ${data.length}\n`).join("");
    for (const size of [90, 255, 256, 10_000]) {
      const told = decode(chunksOf(utf8(text), size)).told;
      expect(told).toEqual(
        [long, "1", long, "2", "3"].map((data, index) => ({
          event: "message",
          data,
          id: ["", "300001", "1", "300001", "1"][index],
        })),
      );
    }
  });

  test("keeps what follows a large event in its last chunk", () => {
    const long = "x".repeat(300_000);
    const chunks = [...chunksOf(utf8(`data: ${long}`), 100), utf8("\n\nid: 7"), utf8("\ndata: a\n\n")];
    expect(decode(chunks).told).toEqual([
      { event: "message", data: long, id: "" },
      { event: "message", data: "a", id: "7" },
    ]);
  });

  test("takes any mix of short and long chunks of any text", () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "\u3042", "\u{1f600}", " "), maxLength: 900 }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 9 }), (lines, sizes) => {
        const bytes = utf8(lines.map((line) => `data: ${line}\n\n`).join(""));
        const chunks: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(decode(chunks).told).toEqual(lines.map((data) => ({ event: "message", data, id: "" })));
      }),
    );
  });

  test("is silent after end(), and refuses more bytes", () => {
    const decoder = createEventDecoder({ onEvent: () => undefined });
    decoder.end();
    decoder.end();
    expect(() => decoder.push(utf8("data: a\n\n"))).toThrow(expect.objectContaining({ code: "closed" }));
  });

  test("same events for any bytes, cut anywhere", () => {
    const piece = fc.constantFrom(
      ..."\r|\n|\r\n|\n\n|data:|data: |data|event: |event|id: |id|retry: |retry|:|: | |a|12|\0|\u3042|\u{1f600}|\ufeff".split(
        "|",
      ),
      LONG,
    );
    const bytes = fc
      .array(fc.oneof({ weight: 9, arbitrary: piece.map(utf8) }, fc.uint8Array({ maxLength: 4 })), { maxLength: 40 })
      .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 8 }), (whole, cuts) => {
        const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length].toSorted((a, b) => a - b);
        const chunks = places.slice(1).map((place, index) => whole.subarray(places[index], place));
        const expected = decode([whole]);
        expect(decode(chunks)).toEqual(expected);
        expect(decode(chunksOf(whole, 1))).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test("agrees with eventsource-parser where that has no known faults", () => {
    const piece = fc.constantFrom(
      ..."\r|\n|\r\n|\n\n|\n\n|data:|data: |data|event: |event:|id: |id|retry: |:|: |x: | |a|12|7|\0|\u3042|\u{1f600}".split(
        "|",
      ),
    );
    fc.assert(
      // A letter first, so that nothing that looks like a byte-order mark leads.
      fc.property(fc.array(piece, { maxLength: 60 }), (parts) => {
        const text = `x\n${parts.join("")}`;
        const told: Told[] = [];
        let lastEventId = "";
        const parser = createParser({
          onId: (id) => {
            lastEventId = id;
          },
          onEvent: ({ event = "message", data }) => told.push({ event, data, id: lastEventId }),
          onRetry: (retry) => told.push({ retry }),
          onComment: (comment) => told.push({ comment }),
        });
        parser.feed(text);
        expect(decode([utf8(text)])).toEqual({ told, lastEventId });
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("createEventDecoder with callbacks that throw", () => {
  test("delivers the rest, then throws what was thrown first, and goes on", () => {
    const told: string[] = [];
    const decoder = createEventDecoder({
      onEvent: ({ event, data }) => {
        told.push(`${event} ${data}`);
        if (data === "bad") throw new Error(`no ${event}`);
      },
    });
    expect(() => decoder.push(utf8("event: x\ndata: bad\n\ndata: 1\n\nevent: y\ndata: bad\n\ndata: 2\nda"))).toThrow(
      "no x",
    );
    decoder.push(utf8("ta: 3\n\n"));
    expect(told).toEqual(["x bad", "message 1", "y bad", "message 2\n3"]);
  });

  test("throws what onRetry and onComment threw, even if it is undefined", () => {
    const throws = (): never => {
      throw undefined;
    };
    const told: string[] = [];
    const decoder = createEventDecoder({
      onEvent: (event) => told.push(event.data),
      onRetry: throws,
      onComment: throws,
    });
    let caught: unknown = "nothing";
    try {
      decoder.push(utf8("retry: 1\n: a\ndata: a\n\n"));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeUndefined();
    expect(told).toEqual(["a"]);
  });

  test("tells nothing after end() was called inside a callback", () => {
    for (const chunks of [
      [utf8("data: a\n\ndata: b\n\n: c\n")],
      [utf8("data: a\r\rdata: b\r\r: c\r")],
      chunksOf(utf8("data: a\n\n"), 1),
    ]) {
      const told: string[] = [];
      const decoder = createEventDecoder({
        onEvent: (event) => {
          told.push(event.data);
          decoder.end();
        },
        onComment: (text) => told.push(text),
      });
      for (const chunk of chunks) decoder.push(chunk);
      expect(told).toEqual(["a"]);
      expect(() => decoder.push(utf8("data: a\n\n"))).toThrow(expect.objectContaining({ code: "closed" }));
    }
  });

  test("refuses push() from inside a callback", () => {
    const decoder = createEventDecoder({ onEvent: () => decoder.push(utf8("data: b\n\n")) });
    expect(() => decoder.push(utf8("data: a\n\n"))).toThrow(expect.objectContaining({ code: "input_invalid" }));
  });
});
