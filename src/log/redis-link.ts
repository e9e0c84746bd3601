// Carries scripts to Redis: by their hash, again while Redis cannot be reached or refuses writes, and no longer than a
// stated time. Whatever is sent here may be carried out twice, and is made for it.

import { systemClock, unref, type Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import type { RedisArgument, RedisPort } from "./redis-client.ts";
import { PrimaryProof } from "./redis-proof.ts";
import { RedisSilence } from "./redis-silence.ts";

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;
/** How long replicas are waited for at a time by default, in milliseconds. */
const DEFAULT_WAIT_MS = 1_000;

/** Faults that pass: Redis starts, fails over, is full, or runs somebody's long script. */
const PASSING =
  /^(LOADING|READONLY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|BUSY|MISCONF|UNBLOCKED)\b|-?READONLY You can't|OOM command not allowed/;

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/OOM/, "it is full: raise maxmemory, or lower what is kept (maxmemory-policy should be noeviction)"],
  [/READONLY/, "it is a replica: let the client connect to the primary"],
  [/^WAIT:/, "what was written is kept, but a failover may lose it; see that the replicas run and follow"],
  [/NOREPLICAS/, "it has too few replicas to write (min-replicas-to-write)"],
  [/LOADING/, "it is still loading its data"],
  [/MISCONF/, "it cannot save to its disk"],
  [/NOAUTH|WRONGPASS|NOPERM/, "give the client a user that may use these keys and publish"],
];

/** A script and its hash, which is reckoned at its first use. */
const hashes = new Map<string, string>();

async function hashOf(script: string): Promise<string> {
  // SHA-1 is the name that Redis gives a script; nothing is protected by it.
  const hash = toHex(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(script)));
  hashes.set(script, hash);
  return hash;
}

function toHex(buffer: ArrayBuffer): string {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What is asked of replicas. */
export interface Copies {
  readonly count: number;
  /** How long they are waited for at a time, in milliseconds. */
  readonly withinMs: number;
}

interface CopyOptions {
  readonly waitForReplicas?: number | undefined;
  readonly waitForReplicasMs?: number | undefined;
}

/** @throws {TailraceError} `input_invalid` */
export function copiesOf(
  port: RedisPort,
  { waitForReplicas = 0, waitForReplicasMs = DEFAULT_WAIT_MS }: CopyOptions,
): Copies | undefined {
  if (waitForReplicas === 0) return undefined;
  if (port.isCluster) {
    const message = "waitForReplicas needs the one connection that wrote, and a cluster has several; leave it out.";
    throw new TailraceError("input_invalid", message, { details: { field: "waitForReplicas" } });
  }
  const limits = { waitForReplicas, waitForReplicasMs };
  for (const [field, value] of Object.entries(limits)) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new TailraceError("input_invalid", `${field} is ${value}; give a whole number from 1.`, {
      details: { field },
    });
  }
  return { count: waitForReplicas, withinMs: waitForReplicasMs };
}

export interface RedisLinkOptions {
  readonly port: RedisPort;
  /** How long a call is tried, in milliseconds. */
  readonly retryForMs: number;
  /** Undefined: the time of the server. */
  readonly clock: Clock | undefined;
  /** Names the place in messages. */
  readonly place: string;
  /** What replicas must have of a write that asks for it. */
  readonly copies?: Copies | undefined;
  /** The connection was replaced, as nothing came over it any more. */
  readonly onReplaced: () => void;
  /** The connection was lost, or Redis or the client has refused something: what was known of the server may be so no more. */
  readonly onDoubt: () => void;
}

export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #silence: RedisSilence;
  readonly #proof: PrimaryProof = new PrimaryProof();
  #isClosed = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    const { port, copies, onReplaced } = options;
    port.onBreak(() => this.#doubt());
    this.#silence = new RedisSilence({ port, allowanceMs: copies?.withinMs ?? 0, onReplaced });
  }

  /** What scripts are given for the time: negative for the server's own. */
  get now(): string {
    return this.#options.clock === undefined ? "-1" : String(this.#options.clock.now());
  }

  close(): void {
    this.#isClosed = true;
    this.#silence.close();
    this.#options.port.release();
  }

  /**
   * Runs `script` over `keys`, which lie in one slot. What it answers is copied to replicas first if `mustCopy` says so and the
   * options ask for it.
   *
   * @throws {TailraceError} `store_unavailable`, `store_damaged`, `closed`
   */
  async run(
    script: string,
    keys: readonly string[],
    args: readonly RedisArgument[],
    mustCopy?: (reply: unknown) => boolean,
  ): Promise<unknown> {
    this.checkOpen();
    const hash = hashes.get(script) ?? (await hashOf(script));
    const untilMs = performance.now() + this.#options.retryForMs;
    let last: unknown;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      try {
        return await this.#within(
          untilMs,
          this.#copied(untilMs, keys[0]!, mustCopy, () => this.#once(hash, script, keys, args)),
        );
      } catch (error) {
        if (error instanceof TailraceError)
          throw last === undefined || error.code === "closed" ? error : this.#faultOf(last);
        last = error;
        const leftMs = untilMs - performance.now();
        if (!this.#mayPass(error) || leftMs <= delayMs) throw this.#faultOf(error);
        await pause(delayMs * (0.5 + Math.random() / 2));
        this.checkOpen();
      }
    }
  }

  /** What `act` gives, which may tell a proof: that holds if the connection has held. A cluster has several, and none is kept. */
  async proved<T>(act: (proof: RedisArgument) => Promise<{ readonly proof: string; readonly result: T }>): Promise<T> {
    const { port } = this.#options;
    const before = port.breakCount;
    const { proof, result } = await act(this.#proof.argument);
    if (!port.isCluster && port.breakCount === before) this.#proof.saw(proof);
    return result;
  }

  /** Sends one command, once. */
  send(key: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.#silence.send(key, args);
  }

  /** @throws {TailraceError} `closed` */
  checkOpen(): void {
    if (this.#isClosed) throw new TailraceError("closed", `The store at ${this.#options.place} was closed.`);
  }

  #doubt(): void {
    this.#proof.drop();
    this.#options.onDoubt();
  }

  async #once(hash: string, script: string, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(keys[0]!, ["EVALSHA", hash, ...rest]);
    } catch (error) {
      if (!textOf(error).startsWith("NOSCRIPT")) {
        this.#doubt();
        throw error;
      }
      this.#proof.drop(); // another server, perhaps, behind a proxy that speaks Redis
      return this.send(keys[0]!, ["EVAL", script, ...rest]);
    }
  }

  /** WAIT is of the connection that wrote. One that was lost in between has told nothing: the whole is done again. */
  async #copied(
    untilMs: number,
    key: string,
    mustCopy: ((reply: unknown) => boolean) | undefined,
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    const { port, copies } = this.#options;
    const before = port.breakCount;
    const reply = await work();
    if (copies === undefined || mustCopy?.(reply) !== true) return reply;
    const { count, withinMs } = copies;
    // Half of what is left at most, so that it answers before we give up, and can say what is missing.
    const ms = Math.max(1, Math.min(withinMs, Math.floor((untilMs - performance.now()) / 2)));
    const confirmed = Number(await this.send(key, ["WAIT", String(count), String(ms)]));
    if (port.breakCount !== before) throw new Error("the connection was lost while replicas were waited for");
    if (confirmed < count) throw new Error(`WAIT: ${confirmed} of ${count} replicas have it after ${ms} ms`);
    return reply;
  }

  /** The client keeps a command while it has no connection: what is asked for must be answered all the same. */
  #within<T>(untilMs: number, work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        const { place, retryForMs } = this.#options;
        const message = `Redis at ${place} has not answered within ${retryForMs} ms; what was asked may or may not be done.`;
        reject(new TailraceError("store_unavailable", message));
      }, untilMs - performance.now());
      unref(timer);
      work.then(
        (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(error);
        },
      );
    });
  }

  #mayPass(error: unknown): boolean {
    if (this.#options.port.isClosed) return false;
    return !isReply(error) || PASSING.test(textOf(error));
  }

  #faultOf(error: unknown): TailraceError {
    const { place, port } = this.#options;
    const text = textOf(error).split("\n", 1)[0]!;
    if (text.startsWith("WRONGTYPE") || text.includes("Operation against a key holding the wrong kind of value")) {
      const message = `Redis at ${place} holds another program's keys under these names; choose another prefix.`;
      return new TailraceError("store_damaged", message, { cause: error });
    }
    const advice = port.isClosed
      ? "the client is closed, or was never connected (node-redis: await client.connect())"
      : (ADVICE.find(([pattern]) => pattern.test(text))?.[1] ?? "see that it runs and can be reached, and try again");
    const message = `Redis at ${place} could not be read or written (${text}): ${advice}.`;
    return new TailraceError("store_unavailable", message, { cause: error });
  }
}

/** Whether Redis has said it, and not the connection to it. */
function isReply(error: unknown): boolean {
  const name = error instanceof Error ? error.constructor.name : "";
  return /^(ReplyError|ErrorReply|SimpleError|BlobError)$/.test(name) || (error as Error)?.name === "ReplyError";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(ms, resolve);
  });
}
