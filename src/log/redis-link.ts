// Carries scripts to Redis: by their hash, again while Redis cannot be reached or refuses writes, and no longer than a
// stated time. Whatever is sent here may be carried out twice, and is made for it.

import { systemClock, unref, type Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import type { RedisArgument, RedisPort } from "./redis-client.ts";

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;

/** Faults that pass: Redis starts, fails over, is full, or runs somebody's long script. */
const PASSING =
  /^(LOADING|READONLY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|BUSY|MISCONF|UNBLOCKED)\b|-?READONLY You can't|OOM command not allowed/;

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/OOM/, "it is full: raise maxmemory, or lower what is kept (maxmemory-policy should be noeviction)"],
  [/READONLY/, "it is a replica: let the client connect to the primary"],
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

export interface RedisLinkOptions {
  readonly port: RedisPort;
  /** How long a call is tried, in milliseconds. */
  readonly retryForMs: number;
  /** Undefined: the time of the server. */
  readonly clock: Clock | undefined;
  /** Names the place in messages. */
  readonly place: string;
}

export class RedisLink {
  readonly #options: RedisLinkOptions;
  #isClosed = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
  }

  /** What scripts are given for the time: negative for the server's own. */
  get now(): string {
    return this.#options.clock === undefined ? "-1" : String(this.#options.clock.now());
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Runs `script` over `keys`, which lie in one slot. @throws {TailraceError} `store_unavailable`, `store_damaged`, `closed` */
  async run(script: string, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    this.checkOpen();
    const hash = hashes.get(script) ?? (await hashOf(script));
    const untilMs = performance.now() + this.#options.retryForMs;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      try {
        return await this.#within(untilMs, this.#once(hash, script, keys, args));
      } catch (error) {
        if (error instanceof TailraceError) throw error;
        const leftMs = untilMs - performance.now();
        if (!this.#mayPass(error) || leftMs <= delayMs) throw this.#faultOf(error);
        await pause(delayMs * (0.5 + Math.random() / 2));
        this.checkOpen();
      }
    }
  }

  /** Sends one command, once. */
  send(key: string, args: readonly RedisArgument[]): Promise<unknown> {
    return this.#options.port.send(key, args);
  }

  /** @throws {TailraceError} `closed` */
  checkOpen(): void {
    if (this.#isClosed) throw new TailraceError("closed", `The store at ${this.#options.place} was closed.`);
  }

  async #once(hash: string, script: string, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    const { port } = this.#options;
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await port.send(keys[0]!, ["EVALSHA", hash, ...rest]);
    } catch (error) {
      if (!textOf(error).startsWith("NOSCRIPT")) throw error;
      return port.send(keys[0]!, ["EVAL", script, ...rest]);
    }
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
