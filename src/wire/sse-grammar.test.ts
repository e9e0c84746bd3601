// The grammar of server-sent events as a table: bytes, and what a reader must be told, written by hand from WHATWG HTML, section 9.2;
// and the decoder over every split of each.

import { describe, expect, test } from "vitest";
import { createEventDecoder } from "./sse-decode.ts";

/** One thing that the decoder tells, in the order told. */
type Told =
  | { readonly event: string; readonly data: string; readonly id: string }
  | { readonly comment: string }
  | { readonly retry: number };

/** One row of the table. */
interface CorpusEntry {
  readonly name: string;
  /** Text stands for its UTF-8. */
  readonly input: string | readonly number[];
  readonly told: readonly Told[];
  /** The last event id after the input; empty if not given. */
  readonly lastEventId?: string;
}

const message = (data: string, id = ""): Told => ({ event: "message", data, id });
const named = (event: string, data: string, id = ""): Told => ({ event, data, id });
const comment = (text: string): Told => ({ comment: text });
const retry = (ms: number): Told => ({ retry: ms });

const bytes = (...parts: readonly (string | number)[]): readonly number[] =>
  parts.flatMap((part) => (typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]));

const corpus: readonly CorpusEntry[] = [
  // Line ends
  { name: "LF", input: "data: a\n\ndata: b\n\n", told: [message("a"), message("b")] },
  { name: "CR", input: "data: a\r\rdata: b\r\r", told: [message("a"), message("b")] },
  { name: "CRLF", input: "data: a\r\n\r\ndata: b\r\n\r\n", told: [message("a"), message("b")] },
  { name: "LF CR is two line ends", input: "data: a\n\rdata: b\n\r", told: [message("a"), message("b")] },
  { name: "LF CR LF is two line ends", input: "data: a\n\r\ndata: b\n\r\n", told: [message("a"), message("b")] },
  { name: "CR CR LF is two line ends", input: "data: a\r\r\ndata: b\r\r\n", told: [message("a"), message("b")] },
  { name: "CRLF CR is two line ends", input: "data: a\r\n\rdata: b\r\n\r", told: [message("a"), message("b")] },
  { name: "CRLF LF is two line ends", input: "data: a\r\n\ndata: b\r\n\n", told: [message("a"), message("b")] },
  { name: "CR inside a block", input: "data: a\rdata: b\r\r", told: [message("a\nb")] },
  {
    name: "each line with another end",
    input: "data: a\ndata: b\rdata: c\r\ndata: d\n\n",
    told: [message("a\nb\nc\nd")],
  },
  { name: "event due at the last CR", input: "data: a\r\r", told: [message("a")] },
  { name: "blank lines alone", input: "\n\n\r\r\r\n\r\n\n\r", told: [] },
  {
    name: "many blank lines between",
    input: "\n\ndata: a\n\n\n\r\n\ndata: b\n\n\n",
    told: [message("a"), message("b")],
  },
  {
    name: "U+2028, U+2029, U+0085, VT, FF end no line",
    input: "data: a\u2028b\u2029c\u0085d\u000be\u000cf\n\n",
    told: [message("a\u2028b\u2029c\u0085d\u000be\u000cf")],
  },

  // Byte-order marks
  { name: "BOM at byte 0", input: "\ufeffdata: a\n\n", told: [message("a")] },
  {
    name: "two BOMs: the second is part of the field name",
    input: "\ufeff\ufeffdata: a\n\ndata: b\n\n",
    told: [message("b")],
  },
  {
    name: "BOM at the start of a later line",
    input: "data: a\n\n\ufeffdata: b\n\ndata: c\n\n",
    told: [message("a"), message("c")],
  },
  { name: "BOM in data", input: "data: \ufeffa\ufeff\ndata:\ufeffb\n\n", told: [message("\ufeffa\ufeff\n\ufeffb")] },
  { name: "BOM and nothing", input: "\ufeff", told: [] },
  { name: "BOM and a blank line", input: "\ufeff\n\ndata: a\n\n", told: [message("a")] },
  { name: "BOM and a comment", input: "\ufeff: a\n\n", told: [comment("a")] },
  { name: "two bytes of a BOM", input: bytes(0xef, 0xbb, "\ndata: a\n\n"), told: [message("a")] },
  { name: "one byte of a BOM", input: bytes(0xef, "data: x\n\ndata: a\n\n"), told: [message("a")] },
  {
    name: "two bytes of a BOM, then a BOM",
    input: bytes(0xef, 0xbb, 0xef, 0xbb, 0xbf, "data: x\n\ndata: a\n\n"),
    told: [message("a")],
  },
  {
    name: "the characters U+00EF U+00BB U+00BF are no BOM",
    input: "\u00ef\u00bb\u00bfdata: x\n\ndata: a\n\n",
    told: [message("a")],
  },
  { name: "a character that starts like a BOM", input: "\uff01\ndata: \uff01\n\n", told: [message("\uff01")] },

  // data
  { name: "no space behind the colon", input: "data:a\n\n", told: [message("a")] },
  { name: "one space only is dropped", input: "data:  a \n\n", told: [message(" a ")] },
  { name: "a tab is not dropped", input: "data:\ta\n\n", told: [message("\ta")] },
  { name: "colons in the value", input: "data::a: b:\n\n", told: [message(":a: b:")] },
  { name: "an empty data line dispatches", input: "data:\n\ndata: \n\n", told: [message(""), message("")] },
  { name: "a data line without colon dispatches", input: "data\n\n", told: [message("")] },
  { name: "leading empty data lines stay", input: "data:\ndata\ndata: a\n\n", told: [message("\n\na")] },
  { name: "middle empty data lines stay", input: "data: a\ndata\ndata:\ndata: b\n\n", told: [message("a\n\n\nb")] },
  { name: "trailing empty data lines: one LF is dropped", input: "data: a\ndata\ndata\n\n", told: [message("a\n\n")] },
  { name: "two empty data lines are one LF", input: "data\ndata\n\n", told: [message("\n")] },
  { name: "NUL in data stays", input: "data: a\0b\n\n", told: [message("a\0b")] },

  // event
  { name: "a named event", input: "event: add\ndata: 1\n\n", told: [named("add", "1")] },
  { name: "the name behind the data", input: "data: 1\nevent:add\n\n", told: [named("add", "1")] },
  { name: "the last name counts", input: "event: add\nevent: sub\ndata: 1\n\n", told: [named("sub", "1")] },
  {
    name: "the name does not stay",
    input: "event: add\ndata: 1\n\ndata: 2\n\n",
    told: [named("add", "1"), message("2")],
  },
  { name: "an empty name is message", input: "event: add\nevent:\ndata: 1\n\n", told: [message("1")] },
  { name: "a name without colon is message", input: "event: add\nevent\ndata: 1\n\n", told: [message("1")] },
  { name: "a name without data does not leak", input: "event: add\n\ndata: 1\n\n", told: [message("1")] },
  { name: "spaces in a name stay", input: "event:  a b \ndata: 1\n\n", told: [named(" a b ", "1")] },

  // id
  { name: "an id", input: "id: 1\ndata: a\n\n", told: [message("a", "1")], lastEventId: "1" },
  {
    name: "an id stays over events",
    input: "id: 1\ndata: a\n\ndata: b\n\n",
    told: [message("a", "1"), message("b", "1")],
    lastEventId: "1",
  },
  { name: "an empty id resets", input: "id: 1\ndata: a\n\nid\ndata: b\n\n", told: [message("a", "1"), message("b")] },
  {
    name: "an empty id with colon resets",
    input: "id: 1\ndata: a\n\nid:\ndata: b\n\n",
    told: [message("a", "1"), message("b")],
  },
  { name: "an id without data counts and dispatches nothing", input: "id: 7\n\n", told: [], lastEventId: "7" },
  {
    name: "an id without data goes on to the next event",
    input: "id: 7\n\ndata: a\n\n",
    told: [message("a", "7")],
    lastEventId: "7",
  },
  {
    name: "an id with NUL is ignored",
    input: "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n",
    told: [message("a", "1"), message("b", "1")],
    lastEventId: "1",
  },
  { name: "an id of NUL alone is ignored", input: "id: \0\ndata: b\n\n", told: [message("b")] },
  {
    name: "an id with NUL leaves the id of its block",
    input: "id: 1\nid: \x002\ndata: a\n\n",
    told: [message("a", "1")],
    lastEventId: "1",
  },
  {
    name: "the id of an unfinished block does not count",
    input: "id: 1\ndata: a\n\nid: 2\ndata: b\n",
    told: [message("a", "1")],
    lastEventId: "1",
  },
  { name: "the id of an unfinished line does not count", input: "id: 1\n\nid: 2", told: [], lastEventId: "1" },
  {
    name: "an id beyond Latin-1",
    input: "id: \u2026\u{1f600}\ndata: a\n\n",
    told: [message("a", "\u2026\u{1f600}")],
    lastEventId: "\u2026\u{1f600}",
  },
  {
    name: "the last id of a block counts",
    input: "id: 1\nid: 2\ndata: a\n\n",
    told: [message("a", "2")],
    lastEventId: "2",
  },

  // retry
  { name: "retry counts at once, without a blank line", input: "retry: 1000\n", told: [retry(1000)] },
  { name: "retry in an event", input: "retry:5\ndata: a\nretry: 6\n\n", told: [retry(5), retry(6), message("a")] },
  { name: "retry with leading zeros", input: "retry: 007\n", told: [retry(7)] },
  { name: "retry 0", input: "retry: 0\n", told: [retry(0)] },
  { name: "retry that is not digits only", input: "retry: 1s\nretry: -1\nretry: 1.5\nretry: +1\n", told: [] },
  { name: "retry with spaces or nothing", input: "retry:  1\nretry: 1 \nretry:\nretry\nretry: \n", told: [] },
  { name: "retry in other notations", input: "retry: 1e3\nretry: 0x10\nretry: \u0661\u0662\n", told: [] },
  { name: "retry whose line is cut off", input: "retry: 1000", told: [] },
  {
    name: "retry beyond safe integers stays one",
    input: "retry: 99999999999999999999\n",
    told: [retry(Number.MAX_SAFE_INTEGER)],
  },

  // Comments
  { name: "comments", input: ": a\n:b\n:  c\n:\n", told: [comment("a"), comment("b"), comment(" c"), comment("")] },
  { name: "a comment inside an event", input: "data: a\n: x\ndata: b\n\n", told: [comment("x"), message("a\nb")] },
  { name: "a comment with colons", input: ":: data: a\n\n", told: [comment(": data: a")] },
  { name: "a comment dispatches nothing", input: ": a\n\n", told: [comment("a")] },
  { name: "an unfinished comment is not told", input: ": a", told: [] },

  // Other fields
  { name: "unknown fields are ignored", input: "foo: 1\nbar\n data: 2\ndata: a\n\n", told: [message("a")] },
  {
    name: "names are case-sensitive",
    input: "Data: 1\nDATA: 2\nEvent: x\nID: 3\nRetry: 4\ndata: a\n\n",
    told: [message("a")],
  },
  {
    name: "names are exact",
    input: "dat: 1\ndataa: 2\ndata : 3\nids: 4\nevents: 5\nretryy: 6\ndata: a\n\n",
    told: [message("a")],
  },
  { name: "names cut short", input: "d\nda\ndat\ne\neven\ni\nr\nretr\nd:\ni:\ne:\nr:\n\n", told: [] },
  { name: "an ignored block does not dispatch", input: "foo: 1\n\n", told: [] },

  // UTF-8
  {
    name: "2, 3 and 4 bytes",
    input: "data: \u00e9\u3042\u{1f600}\u{10ffff}\u0080\u0800\n\n",
    told: [message("\u00e9\u3042\u{1f600}\u{10ffff}\u0080\u0800")],
  },
  {
    name: "characters that hold the bytes of line ends elsewhere",
    input: "data: \u0a0d\u0d0a\u010a\u010d\n\n",
    told: [message("\u0a0d\u0d0a\u010a\u010d")],
  },
  { name: "a stray continuation byte", input: bytes("data: a", 0x80, "b\n\n"), told: [message("a\ufffdb")] },
  { name: "a character cut off by a line end", input: bytes("data: ", 0xe3, 0x81, "\n\n"), told: [message("\ufffd")] },
  {
    name: "a character cut off by another",
    input: bytes("data: ", 0xf0, 0x9f, 0x98, 0xe3, 0x81, 0x82, "\n\n"),
    told: [message("\ufffd\u3042")],
  },
  {
    name: "bytes that are never UTF-8",
    input: bytes("data: ", 0xff, 0xc0, 0x80, "\n\n"),
    told: [message("\ufffd\ufffd\ufffd")],
  },
  {
    name: "an encoded surrogate",
    input: bytes("data: ", 0xed, 0xa0, 0x80, "\n\n"),
    told: [message("\ufffd\ufffd\ufffd")],
  },
  {
    name: "beyond U+10FFFF",
    input: bytes("data: ", 0xf4, 0x90, 0x80, 0x80, "\n\n"),
    told: [message("\ufffd\ufffd\ufffd\ufffd")],
  },

  // The end
  { name: "nothing", input: "", told: [] },
  { name: "an event without its blank line", input: "data: a\n\ndata: b\n", told: [message("a")] },
  { name: "an event without its line end", input: "data: a\n\ndata: b", told: [message("a")] },
  { name: "an event whose character is cut off", input: bytes("data: a\n\ndata: ", 0xe3, 0x81), told: [message("a")] },
];
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Heard {
  readonly told: readonly Told[];
  readonly lastEventId: string;
}

function decode(chunks: Iterable<Uint8Array>): Heard {
  const told: Told[] = [];
  const decoder = createEventDecoder({
    onEvent: (event) => told.push(event),
    onRetry: (retry) => told.push({ retry }),
    onComment: (comment) => told.push({ comment }),
  });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.end();
  return { told, lastEventId: decoder.lastEventId };
}

/** Every way to cut `bytes` into up to three pieces, and into single bytes. The cuts lie from `from` to `to`. */
function* splits(bytes: Uint8Array, from = 0, to: number = bytes.length): Generator<readonly Uint8Array[]> {
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let first = from; first <= to; first++) {
    for (let second = first; second <= to; second++) {
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
    }
  }
}

/** Long enough that the decoder takes another way than for short chunks. */
const LONG = "x".repeat(600);

describe("createEventDecoder over the grammar", () => {
  for (const { name, input, told, lastEventId = "" } of corpus) {
    const bytes = typeof input === "string" ? utf8(input) : Uint8Array.from(input);

    test(`${name}: same under every split`, () => {
      for (const chunks of splits(bytes)) expect(decode(chunks)).toEqual({ told, lastEventId });
    });

    test(`${name}: same behind and before long chunks`, () => {
      const startsWithBom = bytes[0] === 0xef;
      const before = startsWithBom ? "" : `:${LONG}\n\n`;
      const last = bytes.at(-1);
      // A comment without its end is never told, so it may follow whatever ends a line.
      const after = last === 0x0a || last === 0x0d ? `:${LONG}` : "";
      const start = utf8(before).length;
      const whole = Uint8Array.of(...utf8(before), ...bytes, ...utf8(after));
      const expected = { told: startsWithBom ? told : [{ comment: LONG }, ...told], lastEventId };
      for (const chunks of splits(whole, start, start + bytes.length)) expect(decode(chunks)).toEqual(expected);
    });
  }
});
