// Content-Disposition (RFC 6266): a name that every client can read, and beside it the true one (RFC 8187).

/** Whether a browser shows what it gets, or saves it. */
export type Disposition = "inline" | "attachment";

/** The longest name that is sent, in bytes of UTF-8: what file systems take. */
export const MAX_FILE_NAME_BYTES = 255;

// RFC 8187 section 3.2.1: attr-char. encodeURIComponent leaves some that are not in it, and nothing else.
const NOT_ATTR_CHAR = /[!'()*]/g;
// What would end the header, the quoted string, or the name and begin a path; and marks that turn the text around.
// oxlint-disable-next-line no-control-regex -- these are the characters to be found
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f"\\/:\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * The header's value. Without a usable name only the type is sent. Paths, quotes and control characters are taken out of
 * the name; one that is not plain ASCII is sent as `filename*` too.
 */
export function contentDisposition(type: Disposition, name?: string): string {
  const clean = name === undefined ? "" : cleanName(name);
  if (clean === "") return type;
  // A percent sign in the plain form is decoded by some clients, so it also gets the second form.
  const plain = clean.replaceAll(/[^\u0020-\u007e]/gu, "_").replaceAll("%", "_");
  const quoted = `${type}; filename="${plain}"`;
  return plain === clean ? quoted : `${quoted}; filename*=UTF-8''${encodeExtValue(clean)}`;
}

/** The last part of a path, without what no file name should hold; empty for one that has nothing left. */
function cleanName(name: string): string {
  const last = name.toWellFormed().split(/[\\/]/).at(-1) ?? "";
  const clean = cutTo(last.replaceAll(FORBIDDEN, "").trim(), MAX_FILE_NAME_BYTES);
  return /^\.*$/.test(clean) ? "" : clean;
}

/** Cut in the middle rather than at the end, so that the extension stays. */
function cutTo(name: string, maxBytes: number): string {
  const { byteLength } = new TextEncoder().encode(name);
  if (byteLength <= maxBytes) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : "";
  const room = maxBytes - new TextEncoder().encode(extension).byteLength;
  let stem = "";
  let bytes = 0;
  for (const character of extension === "" ? name : name.slice(0, dot)) {
    bytes += new TextEncoder().encode(character).byteLength;
    if (bytes > room) break;
    stem += character;
  }
  return stem + extension;
}

function encodeExtValue(name: string): string {
  return encodeURIComponent(name).replaceAll(
    NOT_ATTR_CHAR,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
