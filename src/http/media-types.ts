// Media types by the end of a file's name: a small table that is kept by hand, after the IANA registry.

const TEXT = "; charset=utf-8";

const TYPES: Readonly<Record<string, string>> = {
  // text
  css: `text/css${TEXT}`,
  csv: `text/csv${TEXT}`,
  htm: `text/html${TEXT}`,
  html: `text/html${TEXT}`,
  ics: `text/calendar${TEXT}`,
  js: `text/javascript${TEXT}`,
  log: `text/plain${TEXT}`,
  md: `text/markdown${TEXT}`,
  mjs: `text/javascript${TEXT}`,
  tsv: `text/tab-separated-values${TEXT}`,
  txt: `text/plain${TEXT}`,
  vtt: `text/vtt${TEXT}`,
  xml: `application/xml${TEXT}`,
  yaml: `application/yaml${TEXT}`,
  yml: `application/yaml${TEXT}`,
  // data: JSON is UTF-8 by definition and has no charset (RFC 8259 section 11)
  geojson: "application/geo+json",
  json: "application/json",
  jsonl: "application/x-ndjson",
  map: "application/json",
  ndjson: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
  sqlite: "application/vnd.sqlite3",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
  // pictures
  apng: "image/apng",
  avif: "image/avif",
  bmp: "image/bmp",
  gif: "image/gif",
  heic: "image/heic",
  ico: "image/vnd.microsoft.icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  jxl: "image/jxl",
  png: "image/png",
  svg: "image/svg+xml",
  tif: "image/tiff",
  tiff: "image/tiff",
  webp: "image/webp",
  // sound
  aac: "audio/aac",
  flac: "audio/flac",
  m4a: "audio/mp4",
  mid: "audio/midi",
  mp3: "audio/mpeg",
  oga: "audio/ogg",
  ogg: "audio/ogg",
  opus: "audio/ogg",
  wav: "audio/wav",
  weba: "audio/webm",
  // video
  avi: "video/vnd.avi",
  m3u8: "application/vnd.apple.mpegurl",
  m4s: "video/iso.segment",
  m4v: "video/mp4",
  mkv: "video/matroska",
  mov: "video/quicktime",
  mp4: "video/mp4",
  mpd: "application/dash+xml",
  mpeg: "video/mpeg",
  mpg: "video/mpeg",
  ogv: "video/ogg",
  ts: "video/mp2t",
  webm: "video/webm",
  // documents
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  epub: "application/epub+zip",
  odp: "application/vnd.oasis.opendocument.presentation",
  ods: "application/vnd.oasis.opendocument.spreadsheet",
  odt: "application/vnd.oasis.opendocument.text",
  pdf: "application/pdf",
  ppt: "application/vnd.ms-powerpoint",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  rtf: "application/rtf",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  // fonts
  otf: "font/otf",
  ttf: "font/ttf",
  woff: "font/woff",
  woff2: "font/woff2",
  // archives
  "7z": "application/x-7z-compressed",
  br: "application/x-brotli",
  bz2: "application/x-bzip2",
  gz: "application/gzip",
  tar: "application/x-tar",
  tgz: "application/gzip",
  xz: "application/x-xz",
  zip: "application/zip",
  zst: "application/zstd",
};

/** The type of what nothing is known about (RFC 9110 section 8.3). */
export const UNKNOWN_TYPE = "application/octet-stream";

/** The media type of a file of that name, text with its charset; `application/octet-stream` for one that is not known. */
export function mediaTypeOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
  return Object.hasOwn(TYPES, extension) ? (TYPES[extension] ?? UNKNOWN_TYPE) : UNKNOWN_TYPE;
}
