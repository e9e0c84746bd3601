// The door `tailrace/wire`: encoders and decoders alone, for servers and browsers.

export { DEFAULT_MAX_ROW_BYTES, createRowDecoder, encodeRow } from "./wire/ndjson.ts";
export type { RowDecoder, RowDecoderOptions } from "./wire/ndjson.ts";
export { DEFAULT_MAX_EVENT_BYTES, createEventDecoder } from "./wire/sse-decode.ts";
export type { DecodedEvent, EventDecoder, EventDecoderOptions } from "./wire/sse-decode.ts";
export { encodeComment, encodeEvent } from "./wire/sse-encode.ts";
export type { SseEvent } from "./wire/sse-encode.ts";
export { createTextDecoder } from "./wire/text.ts";
export type { TextDecoderOptions, TextPieceDecoder } from "./wire/text.ts";
