// Which media types are worth compressing: what is text, and the few binary formats that are not packed already.

const WORTH: ReadonlySet<string> = new Set([
  "application/ecmascript",
  "application/graphql",
  "application/javascript",
  "application/jsonl",
  "application/ndjson",
  "application/rtf",
  "application/sql",
  "application/vnd.apple.mpegurl",
  "application/vnd.ms-fontobject",
  "application/wasm",
  "application/x-javascript",
  "application/x-ndjson",
  "application/x-www-form-urlencoded",
  "application/xml-dtd",
  "application/yaml",
  "font/otf",
  "font/ttf",
  "image/bmp",
  "image/svg+xml",
  "image/x-icon",
]);

/** `application/json` and `application/ld+json`; `json-seq` too. */
const STRUCTURED = /^(?:application|model|message)\/(?:[^;]+\+)?(?:json|xml|yaml|json-seq)$/;

/**
 * Whether compression is worth its while for a media type, in lower case and without parameters. Pictures, sound, video and
 * archives are packed already: coding them again costs time and gains nothing.
 */
export function isCompressibleType(type: string): boolean {
  return type.startsWith("text/") || WORTH.has(type) || STRUCTURED.test(type);
}
