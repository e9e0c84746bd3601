// The store for many processes and hosts: Redis or Valkey. An append, its producer's state, its fence and its end are one
// script.

import type { Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { checkName, checkSameConfig, JSON_TYPE } from "./append-rules.ts";
import { offsetOf, sequenceOf, type Offset } from "./offset.ts";
import { RedisChanges, type Standing } from "./redis-changes.ts";
import { portOf, type RedisArgument, type RedisClient } from "./redis-client.ts";
import { AppendLanes } from "./redis-lanes.ts";
import { copiesOf, RedisLink } from "./redis-link.ts";
import {
  configArguments,
  contentTypeOf,
  listOf,
  streamKeys,
  textOf,
  toHead,
  toPayload,
  toStream,
  unknownStream,
  type RedisStream,
} from "./redis-rows.ts";
import { RedisRuns } from "./redis-runs.ts";
import { KnownTails } from "./redis-known.ts";
import { checkPlace, countTo, sequenceAt } from "./redis-places.ts";
import { APPEND } from "./redis-append-script.ts";
import { CREATE, DELETE, HEAD, READ, STOP } from "./redis-scripts.ts";
import { checkCarryOn } from "./run-rules.ts";
import type {
  AppendOptions,
  AppendResult,
  Beat,
  CarryOn,
  Change,
  Claim,
  Payload,
  ReadLimits,
  ReadResult,
  Store,
  StreamConfig,
  StreamHead,
} from "./store.ts";

/** The longest that a call is tried by default, in milliseconds. */
const DEFAULT_RETRY_MS = 10_000;

export interface RedisStoreOptions {
  /** What every key and the channel begin with; without braces. Default `tailrace`. */
  readonly prefix?: string | undefined;
  /**
   * How long a call is tried while Redis cannot be reached or refuses writes, in milliseconds. Default 10,000. Then it fails
   * with `store_unavailable`.
   */
  readonly retryForMs?: number | undefined;
  /**
   * How many replicas must have an append before it is acknowledged, by Redis's `WAIT`. Default 0. An append that they have not
   * got within `retryForMs` fails with `store_unavailable`, though the primary may keep it. Not for clusters.
   */
  readonly waitForReplicas?: number | undefined;
  /** How long one `WAIT` may last, in milliseconds; what else goes over the client waits behind it. Default 1,000. */
  readonly waitForReplicasMs?: number | undefined;
  /** Default: the time of the Redis server, so that hosts need not agree. Of this clock only `now` is used. For tests. */
  readonly clock?: Clock | undefined;
}

/**
 * A store in Redis 7 or Valkey, over a client of `ioredis` or of `redis` (node-redis). The client stays the caller's: `close` does not
 * close it. Beside it the store opens one more connection, while something is followed.
 *
 * @throws {TailraceError} `input_invalid` for another kind of client or a prefix with braces
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): Store {
  return new RedisStore(client, options);
}

class RedisStore implements Store {
  readonly kind = "redis";
  readonly key: string;
  readonly #prefix: string;
  /** Names this object among all that write. */
  readonly #origin: string = crypto.randomUUID().replaceAll("-", "");
  readonly #link: RedisLink;
  readonly #lanes: AppendLanes;
  readonly #runs: RedisRuns;
  readonly #changes: RedisChanges;
  readonly #known: KnownTails = new KnownTails();

  constructor(client: RedisClient, options: RedisStoreOptions) {
    const { prefix = "tailrace", retryForMs = DEFAULT_RETRY_MS, clock } = options;
    if (/[{}\s]/.test(prefix) || prefix === "") {
      throw new TailraceError(
        "input_invalid",
        `The prefix ${JSON.stringify(prefix)} is empty or has braces or spaces.`,
      );
    }
    const port = portOf(client);
    const place = port.place ?? "this client";
    this.#prefix = prefix;
    this.key = `redis:${port.place ?? this.#origin}:${prefix}`;
    const copies = copiesOf(port, options);
    this.#link = new RedisLink({
      port,
      retryForMs,
      clock,
      place,
      copies,
      onReplaced: () => this.#changes.renew(),
      onDoubt: () => this.#runs.quiet.forgetAll(),
    });
    this.#lanes = new AppendLanes(
      async (name, args, isReleased) => {
        if (isReleased) await this.#runs.willBeLookedAt(name); // first, so that whoever looks finds it from then on
        return this.#send(name, args);
      },
      (name, result, appended) => this.#appended(name, result, appended),
    );
    this.#runs = new RedisRuns(this.#link, prefix, (script, name, args) => this.#run(script, name, args));
    this.#changes = new RedisChanges({
      port: {
        subscribe: (channel, events) => port.subscribe(channel, events),
        send: (key, args) => this.#link.send(key, args),
      },
      channel: this.#channel,
      origin: this.#origin,
      onTurn: (name) => this.#runs.quiet.forget(name),
      look: async (name) => {
        const stream = await this.#look(name);
        return stream && standingOf(stream);
      },
    });
  }

  async open(): Promise<void> {
    await this.#look("");
  }

  async create(name: string, config: StreamConfig = {}): Promise<{ created: boolean; head: StreamHead }> {
    checkName(name);
    const [created, fields] = listOf(await this.#run(CREATE, name, configArguments(config, this.#known.of(name))));
    const stream = toStream(name, fields)!;
    if (Number(created) === 1) this.#changes.tell(name, standingOf(stream));
    else checkSameConfig(name, stream.config, config);
    return { created: Number(created) === 1, head: toHead(stream) };
  }

  async append(name: string, payloads: readonly Payload[], options: AppendOptions = {}): Promise<AppendResult> {
    this.#link.checkOpen();
    return this.#lanes.append(name, payloads, options);
  }

  async read(name: string, after: Offset, limits: ReadLimits): Promise<ReadResult> {
    const args = [String(sequenceOf(after) ?? "none"), String(limits.maxItems), String(limits.maxBytes)];
    const [fields, payloads] = listOf(await this.#run(READ, name, args));
    const stream = toStream(name, fields);
    if (stream === undefined) throw unknownStream(name);
    const from = countTo(stream, checkPlace(name, after, stream))!;
    const isJson = contentTypeOf(stream.config) === JSON_TYPE;
    const items = listOf(payloads).map((payload, index) => ({
      offset: offsetOf(sequenceAt(stream, from + 1 + index)),
      payload: toPayload(payload, isJson),
    }));
    this.#changes.saw(name, standingOf(stream));
    this.#known.saw(name, stream.tail);
    return { items, head: toHead(stream), upToDate: from + items.length === countTo(stream, stream.tail) };
  }

  async head(name: string): Promise<StreamHead | undefined> {
    const stream = await this.#look(name);
    return stream && toHead(stream);
  }

  async offsetBeforeLast(name: string, lastItems: number): Promise<Offset> {
    const stream = await this.#look(name);
    if (stream === undefined) throw unknownStream(name);
    return offsetOf(sequenceAt(stream, Math.max(0, countTo(stream, stream.tail)! - lastItems)));
  }

  async delete(name: string): Promise<boolean> {
    const reply = await this.#run(DELETE, name, []);
    if (!Array.isArray(reply)) return false;
    await this.#runs.mark(textOf(reply[1]), name).catch(() => {}); // it is gone all the same
    this.#changes.tell(name, undefined);
    return true;
  }

  async claim(
    name: string,
    owner: string,
    leaseMs: number,
    config: StreamConfig = {},
    carryOn?: CarryOn,
  ): Promise<Claim> {
    checkName(name);
    checkCarryOn(carryOn);
    const kind = [carryOn?.kind ?? "", String(carryOn?.withinMs ?? "")];
    return this.#told(
      await this.#runs.claim(name, owner, leaseMs, [...configArguments(config, this.#known.of(name)), owner, ...kind]),
    );
  }

  orphans(kinds: readonly string[]): Promise<readonly string[]> {
    return this.#runs.orphans(kinds);
  }

  async takeOver(name: string, owner: string, leaseMs: number): Promise<Claim> {
    return this.#told(await this.#runs.takeOver(name, owner, leaseMs));
  }

  beat(owner: string, leaseMs: number): Promise<Beat> {
    return this.#runs.beat(owner, leaseMs);
  }

  async requestStop(name: string): Promise<StreamHead | undefined> {
    const [isNew, fields] = listOf(await this.#run(STOP, name, []));
    const stream = toStream(name, fields);
    if (stream === undefined) return undefined;
    if (stream.end === undefined) await this.#runs.mark(stream.owner, name);
    if (Number(isNew) === 1) this.#changes.tell(name, standingOf(stream));
    return toHead(stream);
  }

  async reap(): Promise<readonly string[]> {
    const names = await this.#runs.reap();
    for (const name of names) {
      const stream = await this.#look(name);
      if (stream !== undefined) this.#changes.tell(name, standingOf(stream));
    }
    return names;
  }

  watch(listener: (change: Change) => void): () => void {
    this.#link.checkOpen();
    return this.#changes.watch(listener);
  }

  async close(): Promise<void> {
    this.#changes.close();
    await this.#lanes.idle();
    this.#link.close();
  }

  get #channel(): string {
    return `${this.#prefix}:changes`;
  }

  #run(
    script: string,
    name: string,
    args: readonly RedisArgument[],
    mustCopy?: (reply: unknown) => boolean,
  ): Promise<unknown> {
    const every = [this.#link.now, this.#channel, this.#origin, name];
    return this.#link.run(script, streamKeys(this.#prefix, name), [...every, ...args], mustCopy);
  }

  #send(name: string, [call = "", ...appends]: readonly RedisArgument[]): Promise<unknown> {
    return this.#link.proved(async (proof) => {
      const args = [call, String(this.#known.of(name) ?? ""), proof, ...appends];
      const reply = await this.#run(APPEND, name, args, isKept);
      if (!Array.isArray(reply)) return { proof: "-", result: reply };
      const [result, seen = "-", owner] = (reply as unknown[]).map(textOf);
      if (owner !== undefined) await this.#runs.mark(owner, name).catch(() => {}); // what is appended stays so
      return { proof: seen, result };
    });
  }

  async #look(name: string): Promise<RedisStream | undefined> {
    const [, fields] = listOf(await this.#run(HEAD, name, []));
    return toStream(name, fields);
  }

  #appended(name: string, { tail, end }: AppendResult, { release = false }: AppendOptions): void {
    const ended = end !== undefined;
    this.#known.saw(name, sequenceOf(tail)!);
    const released = release && !ended;
    this.#changes.tell(name, { tail: sequenceOf(tail)!, ended, stopRequested: false, released });
  }

  #told(claim: Claim): Claim {
    const { name, tail, end, run } = claim.head;
    const stopRequested = run?.stopRequested ?? false;
    this.#changes.tell(name, { tail: sequenceOf(tail)!, ended: end !== undefined, stopRequested, released: false });
    return claim;
  }
}

/** Whether an append of the call was made, now or before. */
function isKept(reply: unknown): boolean {
  return /\n[wd]/.test(textOf(Array.isArray(reply) ? reply[0] : reply) ?? "");
}

function standingOf({ tail, end, stopRequested, releasedAtMs }: RedisStream): Standing {
  const ended = end !== undefined;
  return { tail, ended, stopRequested, released: releasedAtMs !== undefined && !ended };
}
