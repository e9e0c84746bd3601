// What an append may do, decided before anything is written: one set of rules for every store that runs in this process.

import { TailraceError } from "../errors.ts";
import type { End } from "../wire/format.ts";
import { offsetOf, sequenceOf, type Offset } from "./offset.ts";
import type { AppendOptions, Payload, Producer, StreamConfig } from "./store.ts";

/** What the rules need to know of a stream. */
export interface AppendState {
  readonly name: string;
  readonly contentType: string;
  readonly tail: number;
  readonly end: End | undefined;
  /** The epoch of the latest run; 0 if there was none. */
  readonly epoch: number;
  /** Where the producer that appends stands. */
  readonly producer: { readonly epoch: number; readonly seq: number } | undefined;
}

/** The longest stream name, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 512;
export const JSON_TYPE = "application/json";

/** @throws {TailraceError} `input_invalid` for a name that is empty, too long, or has control characters in it */
export function checkName(name: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (name.length > 0 && name.length <= MAX_NAME_LENGTH && !/[\u0000-\u001f\u007f]/.test(name) && name.isWellFormed())
    return;
  throw new TailraceError(
    "input_invalid",
    `A stream's name has 1 to ${MAX_NAME_LENGTH} characters and no control characters; this one has ${name.length} characters.`,
    { details: { field: "name" } },
  );
}

/** Whether the append is new (`write`) or has been made before (`duplicate`). @throws {TailraceError} if it may not be made */
export function decideAppend(
  state: AppendState,
  payloads: readonly Payload[],
  options: AppendOptions,
): "write" | "duplicate" {
  const { producer, expect, epoch, end, release } = options;
  checkPayloads(state, payloads);
  if (release === true && epoch === undefined) {
    throw new TailraceError("input_invalid", `Only its owner can give up the run ${state.name}: name its epoch.`);
  }
  // Before the end is looked at: a producer that repeats its closing append is told that it is done, not that it is too late.
  if (producer !== undefined && decideProducer(state, producer) === "duplicate") return "duplicate";
  if (epoch !== undefined && epoch !== state.epoch) {
    const message = `The run ${state.name} was taken over or given up: it is at epoch ${state.epoch}, this writer is of epoch ${epoch}.`;
    throw new TailraceError("fenced", message, { details: { epoch: state.epoch } });
  }
  if (state.end !== undefined) {
    // Closing what is closed is fine: the caller wanted it closed.
    if (end !== undefined && payloads.length === 0) return "duplicate";
    throw new TailraceError(
      "stream_closed",
      `The stream ${state.name} has ended (${state.end.reason}); nothing can be appended.`,
    );
  }
  if (expect !== undefined && sequenceOf(expect) !== state.tail) {
    const details = { expected: expect, tail: offsetOf(state.tail) };
    throw new TailraceError("conflict", `The stream ${state.name} has moved on; read it and try again.`, { details });
  }
  return "write";
}

function checkPayloads(state: AppendState, payloads: readonly Payload[]): void {
  const wanted = state.contentType === JSON_TYPE ? "string" : "object";
  for (const payload of payloads) {
    if (typeof payload === wanted) continue;
    const message = `The stream ${state.name} holds ${state.contentType}: an item is ${wanted === "string" ? "JSON text" : "bytes"}.`;
    throw new TailraceError("input_invalid", message);
  }
}

function decideProducer(state: AppendState, producer: Producer): "write" | "duplicate" {
  const last = state.producer;
  if (last !== undefined && producer.epoch < last.epoch) {
    const message = `The producer ${producer.id} was replaced: it is at epoch ${last.epoch}, this append is of epoch ${producer.epoch}.`;
    throw new TailraceError("fenced", message, { details: { epoch: last.epoch } });
  }
  const isNewEpoch = last === undefined || producer.epoch > last.epoch;
  const expectedSeq = isNewEpoch ? 0 : last.seq + 1;
  if (producer.seq === expectedSeq) return "write";
  if (!isNewEpoch && producer.seq < expectedSeq) return "duplicate";
  const message = `The producer ${producer.id} skipped a number: ${expectedSeq} comes next, this append is ${producer.seq}.`;
  throw new TailraceError("sequence_gap", message, { details: { expectedSeq, receivedSeq: producer.seq } });
}

/** @throws {TailraceError} `gap` if the items after `after` are not all kept, or `after` lies ahead of the stream */
export function checkCursor(name: string, after: Offset, start: number, tail: number): number {
  const sequence = sequenceOf(after);
  if (sequence !== undefined && sequence >= start && sequence <= tail) return sequence;
  const details = { asked: after, earliest: offsetOf(start), latest: offsetOf(tail) };
  throw new TailraceError("gap", `The stream ${name} no longer keeps what comes after ${after}.`, { details });
}

/** @throws {TailraceError} `stream_exists` unless both configurations mean the same */
export function checkSameConfig(name: string, kept: StreamConfig, asked: StreamConfig): void {
  const fields = ["contentType", "maxItems", "maxBytes", "maxAgeMs", "ttlMs"] as const;
  const other = fields.find((field) => (asked[field] ?? DEFAULTS[field]) !== (kept[field] ?? DEFAULTS[field]));
  if (other === undefined) return;
  const message = `The stream ${name} exists with another ${other} (${kept[other] ?? "none"}, asked for ${asked[other] ?? "none"}).`;
  throw new TailraceError("stream_exists", message, { details: { field: other } });
}

const DEFAULTS: StreamConfig = { contentType: JSON_TYPE };

/** The size of `payload` in bytes, as UTF-8 where it is text. */
export function payloadBytes(payload: Payload): number {
  if (typeof payload !== "string") return payload.byteLength;
  let bytes = payload.length;
  for (let index = 0; index < payload.length; index++) {
    const unit = payload.charCodeAt(index);
    if (unit < 0x80) continue;
    // Each half of a surrogate pair is two bytes of four.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
