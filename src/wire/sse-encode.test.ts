// The encoder of server-sent events: exact text, refusals, and that nothing can be injected.

import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TailraceError } from "../errors.ts";
import { createEventDecoder, type DecodedEvent } from "./sse-decode.ts";
import { encodeComment, encodeEvent, type SseEvent } from "./sse-encode.ts";

interface Heard {
  readonly events: DecodedEvent[];
  readonly retries: number[];
  readonly comments: string[];
  lastEventId: string;
}

function decode(text: string): Heard {
  const heard: Heard = { events: [], retries: [], comments: [], lastEventId: "" };
  const decoder = createEventDecoder({
    onEvent: (event) => heard.events.push(event),
    onRetry: (ms) => heard.retries.push(ms),
    onComment: (comment) => heard.comments.push(comment),
    lastEventId: "before",
  });
  decoder.push(new TextEncoder().encode(text));
  heard.lastEventId = decoder.lastEventId;
  // Whatever was written, an event that follows stands alone: the encoder left nothing open.
  decoder.push(new TextEncoder().encode("event: probe\nid: probe\ndata: probe\n\n"));
  expect(heard.events.pop()).toEqual({ event: "probe", data: "probe", id: "probe" });
  return heard;
}

/** What `call` threw, if anything. */
function errorOf(call: () => unknown): TailraceError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof TailraceError) return error;
    throw error;
  }
}

const withLf = (text: string): string => text.replaceAll(/\r\n|\r/g, "\n");
const refusal: unknown = expect.objectContaining({ code: "encode_refused" });
/** Any UTF-16, half surrogate pairs too, with many of the characters that matter to the format. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom("\r", "\n", "\0", ":", " ", "\ufeff", "data", "id", "\u2028", "\ud800", "\udc00"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 30,
});

describe("encodeEvent text", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const cases: readonly (readonly [string, SseEvent, string])[] = [
    ["an object", { data: { a: "x\ny" } }, 'data: {"a":"x\\ny"}\n\n'],
    ["a string", { data: "hello" }, "data: hello\n\n"],
    ["an empty string", { data: "" }, "data: \n\n"],
    ["a string with a leading space", { data: " a" }, "data:  a\n\n"],
    [
      "line ends of every kind",
      { data: "a\nb\rc\r\nd\n\re" },
      "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n\n",
    ],
    ["line ends at both ends", { data: "\na\n" }, "data: \ndata: a\ndata: \n\n"],
    ["null", { data: null }, "data: null\n\n"],
    ["false", { data: false }, "data: false\n\n"],
    ["0", { data: 0 }, "data: 0\n\n"],
    ["a replacement pattern", { data: "$&\n$1" }, "data: $&\ndata: $1\n\n"],
    ["a name", { event: "add", data: 1 }, "event: add\ndata: 1\n\n"],
    ["an empty name", { event: "", data: 1 }, "data: 1\n\n"],
    ["a name alone", { event: "add" }, "event: add\n\n"],
    ["an id", { id: "7", data: 1 }, "id: 7\ndata: 1\n\n"],
    ["an empty id", { id: "" }, "id: \n\n"],
    ["an id that no header carries as it is", { id: "\u2026\u{1f600}" }, "id: \u2026\u{1f600}\n\n"],
    ["retry", { retry: 0 }, "retry: 0\n\n"],
    ["the greatest retry", { retry: Number.MAX_SAFE_INTEGER }, "retry: 9007199254740991\n\n"],
    ["a comment", { comment: "a\r\nb" }, ": a\n: b\n\n"],
    ["an empty comment", { comment: "" }, ": \n\n"],
    [
      "everything",
      { data: "a\nb", comment: "c", id: "1", event: "e", retry: 5 },
      ": c\nretry: 5\nevent: e\nid: 1\ndata: a\ndata: b\n\n",
    ],
    [
      "undefined members",
      { data: "a", event: undefined, id: undefined, retry: undefined, comment: undefined },
      "data: a\n\n",
    ],
  ];
  for (const [name, event, text] of cases) {
    test(`writes ${name}`, () => {
      expect(encodeEvent(event)).toBe(text);
    });
  }

  const loose = (value: unknown): SseEvent => value as SseEvent;
  const refused: readonly (readonly [string, SseEvent])[] = [
    ["nothing", {}],
    ["undefined data alone", { data: undefined }],
    ["an empty name alone", { event: "" }],
    ["a function", { data: () => 1 }],
    ["a symbol", { data: Symbol("a") }],
    ["a bigint", { data: 1n }],
    ["a bigint inside, beside an id", { id: "1", data: { a: 1n } }],
    ["a cycle", { data: cyclic }],
    ["a toJSON that returns undefined", { data: { toJSON: () => undefined } }],
    [
      "a toJSON that throws",
      {
        data: {
          toJSON: () => {
            throw new Error("no");
          },
        },
      },
    ],
    ...["\r", "\n", "\0", "a\nb", "a\r", "\0a", "\ud800", "a\udc00b", "\udc00\ud800"].flatMap((text) => [
      [`${JSON.stringify(text)} in event`, { event: text, data: 1 }] as const,
      [`${JSON.stringify(text)} in id`, { id: text, data: 1 }] as const,
    ]),
    ...[-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, "5", "5\ndata: x", [5], null].map(
      (retry) => [`retry ${String(retry)}`, loose({ retry })] as const,
    ),
    ["a number as id", loose({ id: 5 })],
    ["null as event", loose({ event: null, data: 1 })],
    ["an object as comment", loose({ comment: { toString: () => "a\n\ndata: x" } })],
    ["an array as id", loose({ id: ["a\nb"] })],
  ];
  for (const [name, event] of refused) {
    test(`refuses ${name}`, () => {
      expect(() => encodeEvent(event)).toThrow(refusal);
    });
  }

  test("keeps the cause of what JSON refused", () => {
    expect(() => encodeEvent({ data: cyclic })).toThrow(expect.objectContaining({ cause: expect.any(TypeError) }));
  });
});

describe("encodeEvent and createEventDecoder", () => {
  test("any string arrives, with LF for its line ends", () => {
    fc.assert(
      fc.property(anyText, (data) => {
        expect(decode(encodeEvent({ data })).events).toEqual([
          { event: "message", data: withLf(data).toWellFormed(), id: "before" },
        ]);
      }),
    );
  });

  test("any JSON arrives", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const data: unknown = JSON.parse(json);
        const { events } = decode(encodeEvent({ data: { data } }));
        expect(events.map((event) => JSON.parse(event.data) as unknown)).toEqual([
          JSON.parse(JSON.stringify({ data })),
        ]);
      }),
    );
  });

  test("nothing can be injected: one event with what was given, or a refusal", () => {
    let written = 0;
    fc.assert(
      fc.property(anyText, anyText, anyText, anyText, fc.nat(), (event, id, data, comment, retry) => {
        const mustRefuse = /[\r\n\0]/.test(event + id) || !event.isWellFormed() || !id.isWellFormed();
        const given = { event, id, data, comment, retry };
        const refused = errorOf(() => encodeEvent(given));
        expect(refused?.code).toBe(mustRefuse ? "encode_refused" : undefined);
        if (refused !== undefined) return true;
        written++;
        return isDeepStrictEqual(decode(encodeEvent(given)), {
          events: [{ event: event === "" ? "message" : event, data: withLf(data).toWellFormed(), id }],
          retries: [retry],
          comments: withLf(comment).toWellFormed().split("\n"),
          lastEventId: id,
        });
      }),
      { numRuns: 2_000 },
    );
    expect(written).toBeGreaterThan(20);
  });

  test("without data, no event but its id", () => {
    expect(decode(encodeEvent({ event: "x", id: "1" }))).toEqual({
      events: [],
      retries: [],
      comments: [],
      lastEventId: "1",
    });
    expect(decode(encodeEvent({ id: "" })).lastEventId).toBe("");
    expect(decode(encodeEvent({ retry: 5 })).lastEventId).toBe("before");
  });
});

describe("encodeComment", () => {
  test("writes a block of its own", () => {
    expect(encodeComment("heartbeat")).toBe(": heartbeat\n\n");
  });

  test("any text is comments and nothing else", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(decode(encodeComment(text))).toEqual({
          events: [],
          retries: [],
          comments: withLf(text).toWellFormed().split("\n"),
          lastEventId: "before",
        });
      }),
    );
  });

  test("refuses what is no string", () => {
    expect(() => encodeComment(5 as unknown as string)).toThrow(refusal);
  });
});
