// The header of one part of a form (RFC 7578 section 4): which field it is, and whether it is a file.

import { TailraceError } from "../errors.ts";

/** What a part says about itself. */
export interface PartHead {
  /** The field's name. */
  readonly name: string;
  /** The file's name as it was sent; undefined for a part that is no file, empty where the sender chose none. */
  readonly fileName: string | undefined;
  /** What the sender takes it for, lower case and without parameters; undefined if it does not say. */
  readonly contentType: string | undefined;
}

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * @param bytes the lines of the header without the empty one behind them, each ended by CR LF
 * @throws {TailraceError} `decode_failed` (400)
 */
export function parsePartHead(bytes: Uint8Array): PartHead {
  let disposition: string | undefined;
  let contentType: string | undefined;
  // Names stand in UTF-8 as they are (RFC 7578 section 5.1).
  for (const line of new TextDecoder().decode(bytes).split("\r\n")) {
    if (line === "") continue;
    // A line that begins with a space goes on with the one before it in old mail. Nobody sends it, and taking it has ended servers.
    if (line.startsWith(" ") || line.startsWith("\t")) throw malformed("a line of a part's header begins with a space");
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (!TOKEN.test(name)) throw malformed("a line of a part's header is not `Name: value`");
    const value = line.slice(colon + 1).trim();
    if (value.includes("\0")) throw malformed("a part's header holds a NUL");
    switch (name.toLowerCase()) {
      case "content-disposition":
        if (disposition !== undefined) throw malformed("a part has two Content-Disposition lines");
        disposition = value;
        break;
      case "content-type":
        contentType = value.split(";", 1)[0]?.trim().toLowerCase();
        break;
      case "content-transfer-encoding":
        // Deprecated by RFC 7578 section 4.7; to store base64 as if it were the file would be wrong.
        if (!/^(?:7bit|8bit|binary)$/i.test(value)) throw malformed(`a part is coded as ${value.slice(0, 50)}`);
        break;
      default: // others MUST be ignored (RFC 7578 section 4.8)
    }
  }
  if (disposition === undefined) throw malformed("a part has no Content-Disposition");
  const { type, parameters } = parseParameters(disposition);
  if (type !== "form-data") throw malformed("a part's Content-Disposition is not form-data");
  const name = parameters.get("name");
  if (name === undefined) throw malformed("a part has no name");
  const extended = parameters.get("filename*");
  const plain = parameters.get("filename");
  return {
    name: unescapeName(name),
    fileName:
      (extended === undefined ? undefined : decodeExtended(extended)) ??
      (plain === undefined ? undefined : unescapeName(plain)),
    contentType,
  };
}

/**
 * The value and parameters of a header such as Content-Disposition or Content-Type.
 *
 * @throws {TailraceError} `decode_failed`
 */
export function parseParameters(header: string): {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
} {
  const semicolon = header.indexOf(";");
  const type = (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  for (let at = semicolon < 0 ? header.length : semicolon + 1; at < header.length;) {
    const equals = header.indexOf("=", at);
    const next = header.indexOf(";", at);
    if (equals < 0 || (next >= 0 && next < equals)) {
      // `; ;` and a `;` at the end are harmless; a word without a value is not understood.
      if (header.slice(at, next < 0 ? undefined : next).trim() !== "") throw malformed("a parameter has no value");
      at = next < 0 ? header.length : next + 1;
      continue;
    }
    const name = header.slice(at, equals).trim().toLowerCase();
    if (!TOKEN.test(name)) throw malformed("a parameter's name is not a word");
    const { value, end } = readValue(header, equals + 1);
    // Which one counts would be for each reader to choose, and a guard before us may choose otherwise.
    if (parameters.has(name)) throw malformed("a parameter is given twice");
    parameters.set(name, value);
    at = end;
  }
  return { type, parameters };
}

function readValue(header: string, from: number): { readonly value: string; readonly end: number } {
  let at = from;
  while (header[at] === " " || header[at] === "\t") at++;
  if (header[at] !== '"') {
    const next = header.indexOf(";", at);
    const end = next < 0 ? header.length : next;
    return { value: header.slice(at, end).trim(), end: end + 1 };
  }
  let value = "";
  for (at++; header[at] !== '"'; at++) {
    if (at >= header.length) throw malformed("a quoted value has no end");
    // Only these two are escaped by anybody; a backslash before anything else belongs to an old path such as C:\pictures\a.png.
    if (header[at] === "\\" && (header[at + 1] === '"' || header[at + 1] === "\\")) at++;
    value += header[at] ?? "";
  }
  const next = header.indexOf(";", at);
  if (header.slice(at + 1, next < 0 ? undefined : next).trim() !== "")
    throw malformed("something stands behind a quoted value");
  return { value, end: next < 0 ? header.length : next + 1 };
}

/** What browsers write for a quote and line ends in names (WHATWG HTML, multipart/form-data encoding). */
function unescapeName(name: string): string {
  return name.replaceAll(/%(?:22|0D|0A)/gi, (code) => decodeURIComponent(code));
}

/** RFC 8187. One that cannot be read leaves the plain name. */
function decodeExtended(value: string): string | undefined {
  const [, charset = "", encoded = ""] = /^([^']*)'[^']*'(.*)$/.exec(value) ?? [];
  try {
    if (/^utf-8$/i.test(charset)) return decodeURIComponent(encoded);
    if (/^iso-8859-1$/i.test(charset)) {
      return encoded.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
    }
  } catch {
    // Half a character.
  }
  return undefined;
}

/** @param what is wrong, as a clause */
export function malformed(what: string): TailraceError {
  return new TailraceError(
    "decode_failed",
    `The form cannot be read: ${what}. Send it as multipart/form-data (RFC 7578).`,
  );
}
