// Values in and out of a log: JSON text for streams of JSON, bytes as they are for all others.

import { TailraceError } from "../errors.ts";
import { JSON_TYPE, payloadBytes } from "./append-rules.ts";
import type { Payload } from "./store.ts";

/** The largest item, in bytes: 16 MiB. */
export const MAX_ITEM_BYTES = 16_777_216;

/** @throws {TailraceError} `encode_refused` for a value that JSON cannot hold, `limit_exceeded` for one over `MAX_ITEM_BYTES` */
export function toPayload(value: unknown, contentType: string = JSON_TYPE): Payload {
  const payload = contentType === JSON_TYPE ? toJson(value) : toBytes(value, contentType);
  // Counting the bytes of a text is only worth it when it might matter: a character is three bytes at most.
  if (payload.length > MAX_ITEM_BYTES / 3 && payloadBytes(payload) > MAX_ITEM_BYTES) {
    const message = `An item is larger than ${MAX_ITEM_BYTES.toLocaleString("en")} bytes; write it in parts.`;
    throw new TailraceError("limit_exceeded", message, { details: { maxItemBytes: MAX_ITEM_BYTES } });
  }
  return payload;
}

function toJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new TailraceError("encode_refused", "An item cannot be written as JSON (a bigint, or a circle?).", { cause });
  }
  if (text === undefined)
    throw new TailraceError("encode_refused", `An item of type ${typeof value} cannot be written as JSON.`);
  return text;
}

function toBytes(value: unknown, contentType: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return new TextEncoder().encode(value);
  throw new TailraceError(
    "encode_refused",
    `An item of a stream of ${contentType} is bytes or text, not ${typeof value}.`,
  );
}

/** The value that `payload` was made of. Bytes stay bytes. */
export function fromPayload(payload: Payload): unknown {
  return typeof payload === "string" ? (JSON.parse(payload) as unknown) : payload;
}
