// Appends in the order of the calls: one call at a time is under way for a stream, and what comes meanwhile goes together
// in the next one. A call has a number, by which Redis knows one that comes again after a broken connection.

import { TailraceError } from "../errors.ts";
import { decideAppend, payloadBytes } from "./append-rules.ts";
import { offsetOf, sequenceOf } from "./offset.ts";
import type { RedisArgument } from "./redis-client.ts";
import { contentTypeOf, textOf, toEnd, unknownStream } from "./redis-rows.ts";
import type { AppendOptions, AppendResult, Payload, StreamConfig } from "./store.ts";

/** The most appends that go in one call, and the bytes after which no further one is added to it. */
export const MAX_APPENDS_PER_CALL = 500;
export const MAX_CALL_BYTES = 1_048_576;
/** The most appends that may wait; one more is refused with `store_unavailable`. */
export const MAX_WAITING_APPENDS = 100_000;

interface Waiting {
  readonly payloads: readonly Payload[];
  readonly options: AppendOptions;
  readonly bytes: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Sends one call of the script APPEND, which may give the run up. @returns what the script gives */
export type SendAppend = (name: string, args: readonly RedisArgument[], isReleased: boolean) => Promise<unknown>;

export class AppendLanes {
  readonly #send: SendAppend;
  readonly #told: (name: string, result: AppendResult, options: AppendOptions) => void;
  readonly #lanes = new Map<string, Waiting[]>();
  readonly #running = new Set<Promise<void>>();
  #waitingCount = 0;
  /** Grows with every call of this object, whichever stream it is for. */
  #call = 0;

  constructor(send: SendAppend, told: (name: string, result: AppendResult, options: AppendOptions) => void) {
    this.#send = send;
    this.#told = told;
  }

  append(name: string, payloads: readonly Payload[], options: AppendOptions): Promise<AppendResult> {
    if (this.#waitingCount >= MAX_WAITING_APPENDS) {
      const message = `${MAX_WAITING_APPENDS.toLocaleString("en")} appends wait for Redis already; await each append.`;
      return Promise.reject(new TailraceError("store_unavailable", message));
    }
    return new Promise((resolve, reject) => {
      const bytes = payloads.reduce((sum, payload) => sum + payloadBytes(payload), 0);
      const waiting: Waiting = { payloads, options, bytes, resolve, reject };
      this.#waitingCount++;
      const lane = this.#lanes.get(name);
      if (lane !== undefined) lane.push(waiting);
      else {
        this.#lanes.set(name, [waiting]);
        const running = this.#drain(name).finally(() => this.#running.delete(running));
        this.#running.add(running);
      }
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #drain(name: string): Promise<void> {
    await Promise.resolve(); // what is appended in the same turn of the caller goes together
    const lane = this.#lanes.get(name)!;
    while (lane.length > 0) {
      const batch = lane.splice(0, countOf(lane));
      this.#waitingCount -= batch.length;
      const isUniform = batch.every((waiting) => isLike(waiting, batch[0]!));
      const args: RedisArgument[] = [String(++this.#call)];
      if (isUniform)
        args.push(
          ...argumentsOf(
            batch.flatMap(({ payloads }) => payloads),
            batch[0]!.options,
          ),
        );
      else for (const { payloads, options } of batch) args.push(...argumentsOf(payloads, options));
      try {
        const outcome = textOf(await this.#send(name, args, batch.some(isRelease))) ?? "";
        this.#settle(name, batch, outcome, isUniform);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#lanes.delete(name);
  }

  #settle(name: string, batch: readonly Waiting[], outcome: string, isUniform: boolean): void {
    if (outcome === "u" || outcome === "s") {
      const error =
        outcome === "u"
          ? unknownStream(name)
          : new TailraceError("store_unavailable", `An append to ${name} came to Redis too late and was not made.`);
      for (const { reject } of batch) reject(error);
      return;
    }
    const [start, ...lines] = outcome.split("\n");
    let tail = Number(start);
    for (const [index, waiting] of batch.entries()) {
      try {
        const result = resultOf(name, waiting, tail, lines[isUniform ? 0 : index] ?? "");
        tail += result.items.length;
        if (!result.duplicate) this.#told(name, result, waiting.options);
        waiting.resolve(result);
      } catch (error) {
        waiting.reject(error);
      }
    }
  }
}

function isRelease({ options }: Waiting): boolean {
  return options.release === true && options.end === undefined;
}

/** How many appends the next call holds: one at least. */
function countOf(lane: readonly Waiting[]): number {
  let bytes = 0;
  let count = 0;
  while (count < lane.length && count < MAX_APPENDS_PER_CALL) {
    bytes += lane[count]!.bytes;
    if (count > 0 && bytes > MAX_CALL_BYTES) break;
    count++;
  }
  return count;
}

/** Whether the two may go as one append: they are carried out both, or neither. */
function isLike(one: Waiting, other: Waiting): boolean {
  return (
    isPlain(one.options) &&
    one.options.epoch === other.options.epoch &&
    isPlain(other.options) &&
    one.payloads.length > 0 &&
    kindOf(one.payloads) === kindOf(other.payloads)
  );
}

function isPlain({ producer, expect, end, release }: AppendOptions): boolean {
  return producer === undefined && expect === undefined && end === undefined && release !== true;
}

function argumentsOf(payloads: readonly Payload[], options: AppendOptions): RedisArgument[] {
  const { producer, expect, epoch, end, release = false } = options;
  const first = [kindOf(payloads), epoch === undefined ? "" : String(epoch), String(payloads.length)];
  if (isPlain(options)) return [...first, "", ...payloads];
  return [
    ...first,
    "o",
    expect === undefined ? "" : String(sequenceOf(expect) ?? "never"),
    end === undefined ? "" : JSON.stringify(end),
    release ? "1" : "",
    producer === undefined ? "" : "p",
    producer?.id ?? "",
    String(producer?.epoch ?? 0),
    String(producer?.seq ?? 0),
    ...payloads,
  ];
}

/** `j` for text, `b` for bytes, `x` for a mixture, which no stream holds. */
function kindOf(payloads: readonly Payload[]): string {
  const kinds = new Set(payloads.map((payload) => (typeof payload === "string" ? "j" : "b")));
  return kinds.size > 1 ? "x" : ([...kinds][0] ?? "");
}

function resultOf(name: string, { payloads, options }: Waiting, before: number, line: string): AppendResult {
  const [verdict, ...rest] = line.split("\t");
  if (verdict === "w") {
    const items = payloads.map((payload, index) => ({ offset: offsetOf(before + 1 + index), payload }));
    const tail = offsetOf(before + payloads.length);
    return { items, before: offsetOf(before), tail, duplicate: false, end: options.end };
  }
  if (verdict === "d") {
    const tail = offsetOf(Number(rest[0]));
    return { items: [], before: tail, tail, duplicate: true, end: toEnd(rest[1]) };
  }
  const [kept, epoch, producerEpoch = "", producerSeq = "", end, config = "{}"] = rest;
  const state = {
    name,
    contentType: contentTypeOf(JSON.parse(config) as StreamConfig),
    tail: Number(kept),
    end: toEnd(end),
    epoch: Number(epoch),
    producer: producerEpoch === "" ? undefined : { epoch: Number(producerEpoch), seq: Number(producerSeq) },
  };
  decideAppend(state, payloads, options); // the same rules in words: it throws what was refused
  throw new TailraceError("store_unavailable", `Redis has refused an append to ${name}; try again.`);
}
