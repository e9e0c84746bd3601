// The bytes of a multipart body as tokens: parts, their headers, pieces of their content. Holds one header and no content.

import { TailraceError } from "../errors.ts";
import { BoundarySearch } from "./boundary-search.ts";
import { malformed, parseParameters, parsePartHead, type PartHead } from "./part-head.ts";

/** What {@link MultipartParser.next} gives. After `need` it wants more bytes. */
export type MultipartToken =
  | { readonly kind: "need" | "partEnd" | "end" }
  | { readonly kind: "head"; readonly head: PartHead }
  | { readonly kind: "data"; readonly bytes: Uint8Array };

export interface MultipartLimits {
  readonly maxParts: number;
  readonly maxHeaderBytes: number;
}

const NEED: MultipartToken = { kind: "need" };
const PART_END: MultipartToken = { kind: "partEnd" };
const END: MultipartToken = { kind: "end" };

const [TAB, LF, CR, SPACE, DASH] = [0x09, 0x0a, 0x0d, 0x20, 0x2d];
/** Spaces behind a boundary (RFC 2046 section 5.1.1). Nobody sends them. */
const MAX_PADDING_BYTES = 64;
/** The CR and LF that a boundary begins with. */
const LINE_END_BYTES = 2;
const NO_BYTES = new Uint8Array(0);

/** `preamble` and `content` search; `line` reads what stands behind a boundary; `epilogue` wants no more. */
type State = "preamble" | "line" | "header" | "content" | "epilogue";

/**
 * The boundary that a `Content-Type` names, or undefined if it is not `multipart/form-data`.
 *
 * @throws {TailraceError} `decode_failed` for a form without a boundary, or with one that is not 1 to 70 legal characters
 */
export function boundaryOf(contentType: string | null): string | undefined {
  if (contentType === null || !/^\s*multipart\/form-data\s*(?:;|$)/i.test(contentType)) return undefined;
  const boundary = parseParameters(contentType).parameters.get("boundary");
  // RFC 2046 section 5.1.1: bchars, the last of them no space. Some clients use others that are as harmless; none may end the line.
  if (boundary === undefined || !/^[!-~ ]{0,69}[!-~]$/.test(boundary)) {
    throw malformed("its boundary must be 1 to 70 characters of ASCII");
  }
  return boundary;
}

/** Reads one multipart body. It never calls anybody: whoever feeds it asks for tokens until it needs more. */
export class MultipartParser {
  readonly #limits: MultipartLimits;
  readonly #search: BoundarySearch;
  #state: State = "preamble";
  #chunk: Uint8Array = NO_BYTES;
  /** Its length, which a sink may take away together with the content: see `releaseChunk`. */
  #length = 0;
  #at = 0;
  #partCount = 0;
  /** The line behind a boundary, so far: dashes, or spaces, or the CR of its end. */
  #line: "start" | "dash" | "padding" | "cr" = "start";
  #paddingBytes = 0;
  #header: Uint8Array = NO_BYTES;
  #headerBytes = 0;
  #isEnded = false;
  /** How much of what `matched` counts lies before the content: a line end that does double duty. */
  #borrowedBytes = 0;

  constructor(boundary: string, limits: MultipartLimits, search: BoundarySearch = new BoundarySearch(boundary)) {
    this.#limits = limits;
    this.#search = search;
    // The first boundary may stand at the very beginning, without a line end before it.
    this.#search.matched = LINE_END_BYTES;
  }

  /** Hands over the next bytes. Only after `need`; they must not be changed while tokens of them are in use. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#length = chunk.length;
    this.#at = 0;
  }

  /** The next token. Once it is `end`, only the epilogue comes, which is ignored. @throws {TailraceError} `decode_failed`, `limit_exceeded` */
  next(): MultipartToken {
    for (;;) {
      if (this.#state === "epilogue") {
        this.#at = this.#length;
        if (this.#isEnded) return NEED;
        this.#isEnded = true;
        return END;
      }
      if (this.#at === this.#length) return NEED;
      const token = this.#step();
      if (token !== undefined) return token;
    }
  }

  /** The body has ended. @throws {TailraceError} `truncated` if the form has not */
  finish(): void {
    if (this.#state === "epilogue") return;
    const message = "The form ended before its final boundary: it was cut on its way. Send it again.";
    throw new TailraceError("truncated", message);
  }

  #step(): MultipartToken | undefined {
    switch (this.#state) {
      case "preamble":
      case "content":
        return this.#searchOn();
      case "line":
        this.#readLine();
        return undefined;
      case "header":
        return this.#readHeader();
      default:
        return undefined;
    }
  }

  #searchOn(): MultipartToken | undefined {
    const search = this.#search;
    const isContent = this.#state === "content";
    const from = this.#at;
    let dataEnd = from;
    if (search.matched > 0) {
      const held = search.matched;
      this.#at += search.resume(this.#chunk, from);
      if (search.matched === 0) {
        // It was no boundary: what looked like the beginning of one is content.
        const bytes = search.needle.slice(this.#borrowedBytes, held);
        this.#borrowedBytes = 0;
        return isContent && bytes.length > 0 ? { kind: "data", bytes } : undefined;
      }
    } else {
      dataEnd = search.find(this.#chunk, from);
      this.#at = Math.min(this.#length, dataEnd + search.matched);
    }
    if (search.matched === search.needle.length) {
      search.matched = 0;
      // The content before it goes out first, and the boundary is met again.
      if (isContent && dataEnd > from) {
        this.#at = dataEnd;
        return { kind: "data", bytes: this.#chunk.subarray(from, dataEnd) };
      }
      this.#state = "line";
      this.#line = "start";
      this.#paddingBytes = 0;
      return isContent ? PART_END : undefined;
    }
    return isContent && dataEnd > from ? { kind: "data", bytes: this.#chunk.subarray(from, dataEnd) } : undefined;
  }

  /** Behind a boundary stands `--`, or nothing but spaces (RFC 2046 section 5.1.1). */
  #readLine(): void {
    const byte = this.#chunk[this.#at++];
    switch (this.#line) {
      case "start":
        if (byte === DASH) {
          this.#line = "dash";
          return;
        }
        break;
      case "dash":
        if (byte !== DASH) break;
        this.#state = "epilogue";
        return;
      case "cr":
        if (byte !== LF) break;
        this.#state = "header";
        this.#beginHeader();
        return;
      default:
    }
    if (this.#line === "start" || this.#line === "padding") {
      if (byte === CR) {
        this.#line = "cr";
        return;
      }
      if ((byte === SPACE || byte === TAB) && ++this.#paddingBytes <= MAX_PADDING_BYTES) {
        this.#line = "padding";
        return;
      }
    }
    throw malformed("something stands behind a boundary");
  }

  #beginHeader(): void {
    if (++this.#partCount > this.#limits.maxParts) {
      const { maxParts } = this.#limits;
      throw new TailraceError(
        "limit_exceeded",
        `The form has more than ${maxParts.toLocaleString("en")} parts; send fewer.`,
        {
          details: { maxParts },
        },
      );
    }
    this.#header = this.#header.length === 0 ? new Uint8Array(this.#limits.maxHeaderBytes) : this.#header;
    this.#headerBytes = 0;
  }

  /** Takes bytes until an empty line. A CR or LF alone is no line end, and is refused. */
  #readHeader(): MultipartToken | undefined {
    const header = this.#header;
    while (this.#at < this.#length) {
      const byte = this.#chunk[this.#at++] as number;
      const count = this.#headerBytes;
      const before = count === 0 ? LF : header[count - 1];
      if ((byte === LF) !== (before === CR && count > 0))
        throw malformed("a line of a part's header does not end with CR LF");
      if (count === header.length) {
        const maxHeaderBytes = header.length;
        throw new TailraceError(
          "limit_exceeded",
          `A part's header is larger than ${maxHeaderBytes.toLocaleString("en")} bytes.`,
          {
            details: { maxHeaderBytes },
          },
        );
      }
      header[count] = byte;
      this.#headerBytes = count + 1;
      const isEmptyLine = byte === LF && (count === 1 || (header[count - 2] === LF && count >= 3));
      if (isEmptyLine) {
        this.#state = "content";
        // Content may be empty, and the boundary follow at once: the line end before it is then the one that ended the header.
        this.#search.matched = LINE_END_BYTES;
        this.#borrowedBytes = LINE_END_BYTES;
        return { kind: "head", head: parsePartHead(header.subarray(0, count - 1)) };
      }
    }
    return undefined;
  }
}
