import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTailraceError } from "../errors.ts";
import { BoundarySearch } from "./boundary-search.ts";
import { cuts, form, fromLatin1, latin1, LIMITS, part, readParts, type ReadPart } from "./multipart.test-support.ts";

const B = "xYz";
const read = (body: string, boundary: string = B): ReadPart[] => readParts([latin1(body)], boundary);
const contents = (parts: readonly ReadPart[]): [string, string][] =>
  parts.map(({ head, content }) => [head.name, content]);

/** Bodies that are right, with what they hold. */
const CORPUS: readonly (readonly [title: string, body: string, parts: readonly [string, string][]])[] = [
  [
    "two fields",
    form(B, part("a", "1"), part("b", "two")),
    [
      ["a", "1"],
      ["b", "two"],
    ],
  ],
  ["no part", `--${B}--\r\n`, []],
  ["no line end behind the last boundary", form(B, part("a", "1")).slice(0, -2), [["a", "1"]]],
  [
    "a preamble and an epilogue",
    `mail\r\nclients only\r\n${form(B, part("a", "1"))}bye\r\n--${B}\r\nnot: read`,
    [["a", "1"]],
  ],
  ["an empty preamble line", `\r\n${form(B, part("a", "1"))}`, [["a", "1"]]],
  [
    "spaces behind boundaries",
    `--${B} \t\r\n${part("a", "1")}\r\n--${B}  \r\n${part("b", "2")}\r\n--${B}-- \r\n`,
    [
      ["a", "1"],
      ["b", "2"],
    ],
  ],
  [
    "an empty part",
    form(B, part("a", ""), part("b", "")),
    [
      ["a", ""],
      ["b", ""],
    ],
  ],
  [
    "a part that ends with its header",
    `--${B}\r\nContent-Disposition: form-data; name="a"\r\n\r\n--${B}--`,
    [["a", ""]],
  ],
  [
    "content that looks like boundaries",
    form(B, part("a", `\r\n--xY\r\n-\r--xYz\n--xYz\r\r\n--xY`)),
    [["a", `\r\n--xY\r\n-\r--xYz\n--xYz\r\r\n--xY`]],
  ],
  ["content of line ends", form(B, part("a", "\r\n\r\n\r\r\n\n")), [["a", "\r\n\r\n\r\r\n\n"]]],
  ["content with a near boundary at its start", form(B, part("a", `--xY\r\n`)), [["a", "--xY\r\n"]]],
  [
    "bytes of every value",
    form(B, part("a", Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join(""))),
    [["a", Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("")]],
  ],
];

/** Bodies that are wrong. */
const FAULTS: readonly (readonly [title: string, body: string, code: string])[] = [
  ["nothing", "", "truncated"],
  ["a preamble only", "hello", "truncated"],
  ["no final boundary", form(B, part("a", "1")).slice(0, -6), "truncated"],
  ["half a final boundary", form(B, part("a", "1")).slice(0, -3), "truncated"],
  ["an end in a header", `--${B}\r\nContent-Disp`, "truncated"],
  ["something behind a boundary", `--${B}oops\r\n${part("a", "1")}`, "decode_failed"],
  ["one dash behind a boundary", `--${B}-\r\n${part("a", "1")}`, "decode_failed"],
  ["65 spaces behind a boundary", `--${B}${" ".repeat(65)}\r\n${part("a", "1")}`, "decode_failed"],
  ["a CR without LF behind a boundary", `--${B}\r${part("a", "1")}`, "decode_failed"],
  ["a LF alone behind a boundary", `--${B}\n${part("a", "1")}`, "decode_failed"],
  ["a LF alone in a header", `--${B}\r\nContent-Disposition: form-data; name="a"\n\r\n1\r\n--${B}--`, "decode_failed"],
  [
    "a header that begins with a LF",
    `--${B}\r\n\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--${B}--`,
    "decode_failed",
  ],
  [
    "a CR alone in a header",
    `--${B}\r\nContent-Disposition: form-data;\r name="a"\r\n\r\n1\r\n--${B}--`,
    "decode_failed",
  ],
  ["a header that begins with a space", form(B, ` ${part("a", "1")}`), "decode_failed"],
  ["a folded header", form(B, `Content-Disposition: form-data;\r\n name="a"\r\n\r\n1`), "decode_failed"],
  ["a header line without a colon", form(B, `Content-Disposition\r\n\r\n1`), "decode_failed"],
  ["a header line without a name", form(B, `: form-data; name="a"\r\n\r\n1`), "decode_failed"],
  ["no header", form(B, `\r\n1`), "decode_failed"],
  ["no disposition", form(B, `Content-Type: text/plain\r\n\r\n1`), "decode_failed"],
  ["two dispositions", form(B, `Content-Disposition: form-data; name="b"\r\n${part("a", "1")}`), "decode_failed"],
  ["another disposition", form(B, `Content-Disposition: attachment; name="a"\r\n\r\n1`), "decode_failed"],
  ["no name", form(B, `Content-Disposition: form-data\r\n\r\n1`), "decode_failed"],
  ["two names", form(B, part("a", "1", "; name=b")), "decode_failed"],
  ["an open quote", form(B, `Content-Disposition: form-data; name="a\r\n\r\n1`), "decode_failed"],
  ["something behind a quote", form(B, `Content-Disposition: form-data; name="a"b\r\n\r\n1`), "decode_failed"],
  ["a parameter without a value", form(B, `Content-Disposition: form-data; name\r\n\r\n1`), "decode_failed"],
  ["a NUL in a header", form(B, part("a\0", "1")), "decode_failed"],
  ["a transfer encoding", form(B, `Content-Transfer-Encoding: base64\r\n${part("a", "MQ==")}`), "decode_failed"],
];

function codeOf(read: () => unknown): unknown {
  try {
    read();
  } catch (error) {
    return isTailraceError(error) ? error.code : error;
  }
  return undefined;
}

describe("MultipartParser", () => {
  test.each(CORPUS)("MultipartParser reads %s without the host's search, however it is cut", (_title, body, parts) => {
    const bytes = latin1(body);
    for (const chunks of cuts(bytes, false)) {
      expect(contents(readParts(chunks, B, LIMITS, new BoundarySearch(B, null)))).toEqual(parts);
    }
  });

  test.each(CORPUS)("MultipartParser reads %s, however it is cut", (_title, body, parts) => {
    const bytes = latin1(body);
    expect(contents(readParts([bytes], B))).toEqual(parts);
    for (const chunks of cuts(bytes, false)) expect(contents(readParts(chunks, B))).toEqual(parts);
    expect(
      contents(
        readParts(
          Array.from(bytes, (byte) => Uint8Array.of(byte)),
          B,
        ),
      ),
    ).toEqual(parts);
    if (bytes.length < 160)
      for (const chunks of cuts(bytes, true)) expect(contents(readParts(chunks, B))).toEqual(parts);
  });

  test.each(FAULTS)("MultipartParser refuses %s, however it is cut", (_title, body, code) => {
    const bytes = latin1(body);
    expect(codeOf(() => readParts([bytes], B))).toBe(code);
    for (const chunks of cuts(bytes, false)) expect(codeOf(() => readParts(chunks, B))).toBe(code);
  });

  test("MultipartParser refuses every beginning of a form as cut", () => {
    const bytes = latin1(form(B, part("a", "1"), part("f", "content", `; filename="a.txt"`)));
    const closed = bytes.length - 2; // the last line end may be missing
    for (let end = 0; end < closed; end++)
      expect(codeOf(() => readParts([bytes.subarray(0, end)], B))).toBe("truncated");
    expect(readParts([bytes.subarray(0, closed)], B)).toHaveLength(2);
  });

  test("MultipartParser takes a header of the limit and refuses one byte more", () => {
    const header = `Content-Disposition: form-data; name="a"\r\nX: `;
    const room = LIMITS.maxHeaderBytes - header.length - 4;
    expect(read(form(B, `${header}${"y".repeat(room)}\r\n\r\n1`))).toHaveLength(1);
    expect(codeOf(() => read(form(B, `${header}${"y".repeat(room + 1)}\r\n\r\n1`)))).toBe("limit_exceeded");
  });

  test("MultipartParser takes as many parts as the limit and refuses one more", () => {
    const parts = (count: number): string => form(B, ...Array.from({ length: count }, () => part("a", "1")));
    expect(read(parts(LIMITS.maxParts))).toHaveLength(LIMITS.maxParts);
    expect(codeOf(() => read(parts(LIMITS.maxParts + 1)))).toBe("limit_exceeded");
  });

  test("MultipartParser gives back any content under any boundary and any cuts", () => {
    const boundary = fc
      .string({ unit: fc.constantFrom(...Array.from("ab-_'()+,./:=? 09")), minLength: 1, maxLength: 70 })
      .filter((text) => /[^ ]$/.test(text));
    // Contents out of the boundary's own bytes: as near to it as can be.
    const property = fc.property(
      boundary.chain((text) =>
        fc.record({
          boundary: fc.constant(text),
          contents: fc.array(
            fc
              .array(
                fc.constantFrom(
                  "\r",
                  "\n",
                  "\r\n",
                  "-",
                  "--",
                  "\r\n-",
                  `\r\n--${text.slice(0, -1)}`,
                  ...Array.from(text),
                  "\0",
                ),
                { maxLength: 30 },
              )
              .map((pieces) => pieces.join("")),
            { maxLength: 4 },
          ),
          cutAt: fc.array(fc.nat(), { maxLength: 12 }),
        }),
      ),
      ({ boundary: text, contents: parts, cutAt }) => {
        fc.pre(parts.every((content) => !`\r\n${content}\r\n`.includes(`\r\n--${text}`)));
        const bytes = latin1(form(text, ...parts.map((content, index) => part(`p${index}`, content))));
        const places = [0, ...cutAt.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(readParts(chunks, text).map(({ content }) => content)).toEqual(parts);
        const ours = readParts(chunks, text, LIMITS, new BoundarySearch(text, null));
        expect(ours.map(({ content }) => content)).toEqual(parts);
      },
    );
    fc.assert(property, { numRuns: runs(500) });
  });

  test("MultipartParser ends hostile bodies with parts or a clear refusal", () => {
    const words = [
      "--xYz",
      "--xYz--",
      "\r\n",
      "\r",
      "\n",
      " ",
      ":",
      ";",
      `"`,
      "=",
      "Content-Disposition: form-data; name=a",
      "filename*=UTF-8''%",
      "\\",
      "\0",
      "\xFF",
      "a",
    ];
    const property = fc.property(fc.array(fc.constantFrom(...words), { maxLength: 60 }), fc.nat(), (pieces, at) => {
      const bytes = latin1(pieces.join(""));
      const cut = at % (bytes.length + 1);
      const whole = codeOf(() => readParts([bytes], B));
      expect(["truncated", "decode_failed", "limit_exceeded", undefined]).toContain(whole);
      expect(codeOf(() => readParts([bytes.subarray(0, cut), bytes.subarray(cut)], B))).toBe(whole);
    });
    fc.assert(property, { numRuns: runs(500) });
  });

  test("MultipartParser looks at no byte twice, whatever is sent", () => {
    // The worst for a search that goes back: content that is nearly the boundary, over and over. Counted, not timed.
    const boundary = "a".repeat(70);
    const contents = [
      "a".repeat(300_000),
      `\r\n--${"a".repeat(69)}`.repeat(4_000),
      "\r".repeat(300_000),
      "\r\n--".repeat(75_000),
    ];
    for (const content of contents) {
      const bytes = latin1(form(boundary, part("f", content)));
      let reads = 0;
      const counted = new Proxy(bytes, {
        get(target, key) {
          if (typeof key === "string" && /^\d/.test(key)) reads++;
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      });
      expect(readParts([counted], boundary, LIMITS, new BoundarySearch(boundary, null))[0]?.content.length).toBe(
        content.length,
      );
      expect(reads).toBeLessThan(3 * bytes.length);
    }
  });
});

/** The long run, `LONG=1`, tries 10,000. */
function runs(count: number): number {
  return process.env["LONG"] === "1" ? 10_000 : count;
}

test("fromLatin1() undoes latin1()", () => {
  expect(fromLatin1(latin1("a\0\xFF"))).toBe("a\0\xFF");
});
