// The door `tailrace/wire`: encoders and decoders alone, for servers and browsers.

export { DEFAULT_MAX_ROW_BYTES, createRowDecoder, encodeRow } from "./wire/ndjson.ts";
export type { BadRow, RowDecoder, RowDecoderOptions, RowOptions } from "./wire/ndjson.ts";
export { encodeRowsEnd } from "./wire/ndjson-end.ts";
export type { RowsEnd } from "./wire/ndjson-end.ts";
export { createPartialJsonDecoder, DEFAULT_MAX_JSON_DEPTH_COUNT, DEFAULT_MAX_JSON_CHARS } from "./wire/partial-json.ts";
export type { PartialJsonDecoder, PartialJsonOptions } from "./wire/partial-json.ts";
export type { DeepPartial } from "./wire/partial-json-tree.ts";
export { readNdjson } from "./wire/read-ndjson.ts";
export type { ReadNdjsonOptions, RowBody, Rows } from "./wire/read-ndjson.ts";
export type { SchemaResult, StandardSchema } from "./wire/standard-schema.ts";
export { DEFAULT_MAX_EVENT_BYTES, createEventDecoder } from "./wire/sse-decode.ts";
export type { DecodedEvent, EventDecoder, EventDecoderOptions } from "./wire/sse-decode.ts";
export { encodeComment, encodeEvent } from "./wire/sse-encode.ts";
export type { SseEvent } from "./wire/sse-encode.ts";
export { DEFAULT_MAX_LINE_BYTES, createLineDecoder } from "./wire/lines.ts";
export type { LineDecoder, LineDecoderOptions } from "./wire/lines.ts";
export { createTextDecoder } from "./wire/text.ts";
export type { TextDecoderOptions, TextPieceDecoder } from "./wire/text.ts";
