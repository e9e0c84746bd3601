// What the keys of a stream are called, and what their contents mean.

import { JSON_TYPE } from "./append-rules.ts";
import { TailraceError } from "../errors.ts";
import { offsetOf } from "./offset.ts";
import { leapsOf, type Stretch } from "./redis-places.ts";
import { STREAM_KEYS } from "./redis-prelude.ts";
import type { RunState } from "./run-rules.ts";
import type { Payload, StreamConfig, StreamHead } from "./store.ts";
import type { End } from "../wire/format.ts";

/** A stream as a script shows it. */
export interface RedisStream extends RunState, Stretch {
  readonly name: string;
  readonly epoch: number;
  readonly expiresAtMs: number | undefined;
  readonly config: StreamConfig;
}

const decoder = new TextDecoder();

export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  return value instanceof Uint8Array ? decoder.decode(value) : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** Pairs of a flat list: of HGETALL, or of a range with scores. */
export function pairsOf(value: unknown): [string, string][] {
  const flat = listOf(value);
  return Array.from({ length: flat.length / 2 }, (_, index) => [
    textOf(flat[2 * index]) ?? "",
    textOf(flat[2 * index + 1]) ?? "",
  ]);
}

/** The keys of the stream `name`, all in one slot of a cluster: what stands in braces decides. */
export function streamKeys(prefix: string, name: string): string[] {
  const tag = tagOf(name);
  return STREAM_KEYS.map((part) => `${prefix}:s:{${tag}}:${part}`);
}

/** The keys of the owner: its lease, its runs. */
export function ownerKeys(prefix: string, owner: string): string[] {
  const tag = tagOf(owner);
  return [`${prefix}:o:{${tag}}:l`, `${prefix}:o:{${tag}}:r`];
}

/** A brace within a name would end the tag there, and an empty one is none. */
function tagOf(name: string): string {
  return name === "" ? "%" : name.replace(/[%{}]/g, (found) => `%${found.charCodeAt(0).toString(16)}`);
}

/** @returns undefined where the script has shown nothing */
export function toStream(name: string, fields: unknown): RedisStream | undefined {
  if (!Array.isArray(fields)) return undefined;
  const [start, tail, end, owner, epoch, stop, kind, withinMs, releasedAt, config, leaps, expiresAt] = (
    fields as unknown[]
  ).map(textOf);
  if (start === undefined || tail === undefined || config === undefined) {
    throw new TailraceError("store_damaged", `The stream ${name} is not whole in Redis; delete it.`);
  }
  return {
    name,
    start: Number(start),
    tail: Number(tail),
    leaps: leapsOf(leaps),
    end: toEnd(end),
    owner,
    epoch: Number(epoch),
    stopRequested: stop !== undefined,
    carryOn: kind === undefined ? undefined : { kind, withinMs: Number(withinMs) },
    releasedAtMs: releasedAt === undefined ? undefined : Number(releasedAt),
    leaseUntilMs: undefined,
    expiresAtMs: expiresAt === undefined ? undefined : Number(expiresAt),
    config: JSON.parse(config) as StreamConfig,
  };
}

export function toEnd(text: string | undefined): End | undefined {
  return text === undefined || text === "" ? undefined : (JSON.parse(text) as End);
}

export function contentTypeOf(config: StreamConfig): string {
  return config.contentType ?? JSON_TYPE;
}

export function toHead(stream: RedisStream): StreamHead {
  const { name, owner, epoch, stopRequested, carryOn, end } = stream;
  return {
    name,
    contentType: contentTypeOf(stream.config),
    start: offsetOf(stream.start),
    tail: offsetOf(stream.tail),
    end,
    run: owner === undefined ? undefined : { owner, epoch, stopRequested, carryOn: carryOn?.kind },
  };
}

export function toPayload(value: unknown, isJson: boolean): Payload {
  if (typeof value === "string") return isJson ? value : new TextEncoder().encode(value);
  const bytes = value as Uint8Array;
  // A copy, since the client's bytes are a window on a much larger piece of what it has received.
  return isJson ? decoder.decode(bytes) : Uint8Array.from(bytes);
}

/** What CREATE and CLAIM are told of a configuration, and of the tail that a stream of this name has had. */
export function configArguments(config: StreamConfig, known: number | undefined): string[] {
  const limits = [config.maxItems, config.maxBytes, config.maxAgeMs, config.ttlMs, known];
  const kind = contentTypeOf(config) === JSON_TYPE ? "j" : "b";
  return [JSON.stringify(config), kind, ...limits.map((limit) => (limit === undefined ? "" : String(limit)))];
}

export function unknownStream(name: string): TailraceError {
  return new TailraceError("stream_unknown", `There is no stream named ${JSON.stringify(name)}.`);
}
