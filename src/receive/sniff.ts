// What a file is, by its first bytes: the sender's word for it is not taken.

/** How much of a file is looked at, in bytes. */
export const SNIFF_BYTES = 512;

const UNKNOWN = "application/octet-stream";

/** A type and the bytes that tell it: as text, one character per byte, `?` for any byte. */
const MAGIC: readonly (readonly [type: string, bytes: string])[] = [
  ["image/png", "\x89PNG\r\n\x1A\n"],
  ["image/jpeg", "\xFF\xD8\xFF"],
  ["image/gif", "GIF87a"],
  ["image/gif", "GIF89a"],
  ["image/webp", "RIFF????WEBP"],
  ["audio/wav", "RIFF????WAVE"],
  ["application/pdf", "%PDF-"],
  ["application/zip", "PK\x03\x04"],
  ["application/zip", "PK\x05\x06"], // an empty archive
  ["application/gzip", "\x1F\x8B\x08"],
  ["audio/mpeg", "ID3"],
  ["video/quicktime", "????ftypqt  "],
  ["image/avif", "????ftypavif"],
  ["image/heic", "????ftypheic"],
  ["audio/mp4", "????ftypM4A "],
  ["video/mp4", "????ftyp"],
  ["video/quicktime", "????moov"], // before there was an ftyp box
  ["video/quicktime", "????mdat"],
];

/**
 * The media type of a file that begins with `head` (its first 512 bytes, or all of a smaller one): png, jpeg, gif, webp, avif, heic, pdf,
 * zip, gzip, mp4, mov, webm, mkv, mp3, m4a or wav; `text/plain` for UTF-8 without controls; else `application/octet-stream`. HTML, SVG
 * and scripts are text here, on purpose: nothing that a browser would run gets a type that makes it run.
 */
export function sniffType(head: Uint8Array): string {
  for (const [type, bytes] of MAGIC) if (matches(head, bytes)) return type;
  if (matches(head, "\x1A\x45\xDF\xA3")) return ebmlType(head);
  if (isMpegAudio(head)) return "audio/mpeg";
  return isText(head) ? "text/plain" : UNKNOWN;
}

/** Whether `type` is one of `allowed`, where `image/*` stands for every image. */
export function isAllowedType(type: string, allowed: readonly string[]): boolean {
  return allowed.some((each) => {
    const wanted = each.toLowerCase();
    return wanted === type || wanted === "*/*" || (wanted.endsWith("/*") && type.startsWith(wanted.slice(0, -1)));
  });
}

function matches(head: Uint8Array, bytes: string): boolean {
  if (head.byteLength < bytes.length) return false;
  for (let at = 0; at < bytes.length; at++) {
    const wanted = bytes.charCodeAt(at);
    if (wanted !== 0x3f && head[at] !== wanted) return false;
  }
  return true;
}

/** WebM is a Matroska file that says so in its header. */
function ebmlType(head: Uint8Array): string {
  return new TextDecoder("latin1").decode(head.subarray(0, 64)).includes("webm") ? "video/webm" : "video/x-matroska";
}

/** A frame of MPEG audio, layer III, with no reserved value in its header (ISO/IEC 11172-3). */
function isMpegAudio(head: Uint8Array): boolean {
  const [sync = 0, version = 0, rates = 0] = head;
  const isLayer3 = sync === 0xff && (version & 0xe6) === 0xe2 && (version & 0x18) !== 0x08;
  return isLayer3 && rates >> 4 !== 0 && rates >> 4 !== 15 && ((rates >> 2) & 3) !== 3;
}

function isText(head: Uint8Array): boolean {
  if (head.byteLength === 0) return false;
  // Controls other than tab, line feed, form feed, carriage return and escape do not stand in text.
  for (const byte of head)
    if (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d && byte !== 0x0b) && byte !== 0x1b) return false;
  try {
    // `stream` forgives a character that is cut at the end of what we look at.
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: head.byteLength >= SNIFF_BYTES });
    return true;
  } catch {
    return false;
  }
}
