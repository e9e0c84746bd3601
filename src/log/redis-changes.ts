// What other processes change: told by messages on one channel, which are hints. An echo of our own, once a second, proves
// that none has been lost; while it does not come, and after every broken connection, the streams that are in use here
// are looked at instead. So idle streams cost nothing, and a lost message costs a second.

import { systemClock } from "../clock.ts";
import { offsetOf } from "./offset.ts";
import type { RedisPort } from "./redis-client.ts";
import { toEnd } from "./redis-rows.ts";
import type { Change } from "./store.ts";

/** How often an echo is sent, in milliseconds: also how late a change may be told when messages are lost. */
const ECHO_MS = 1_000;
/** After how many echoes in vain the connection is replaced. */
const MAX_DEAF_COUNT = 2;
/** The most streams that are looked at again; those used longest ago are forgotten first. */
export const MAX_KNOWN_STREAMS = 20_000;
/** How many streams are looked at at once. */
const BATCH = 500;

/** How a stream stands, as far as it matters to those who follow it. */
export interface Standing {
  readonly tail: number;
  readonly ended: boolean;
  readonly stopRequested: boolean;
  readonly released: boolean;
}

export interface RedisChangesOptions {
  readonly port: Pick<RedisPort, "send" | "subscribe">;
  readonly channel: string;
  /** Names this store object: messages of its own are not told a second time. */
  readonly origin: string;
  /** Another process has ended, deleted, stopped or given up something. */
  readonly onTurn?: (name: string) => void;
  /** How the stream stands now; undefined if it is gone. */
  readonly look: (name: string) => Promise<Standing | undefined>;
}

export class RedisChanges {
  readonly #options: RedisChangesOptions;
  readonly #listeners = new Set<(change: Change) => void>();
  /** The streams in use here, the latest last. */
  readonly #known = new Map<string, Standing>();
  #stop: (() => void) | undefined;
  #cancelTick: (() => void) | undefined;
  /** The echo that is awaited; empty once it has come. */
  #echo = "";
  #echoCount = 0;
  /** How often an echo was sent, as Redis has said, and has not come. */
  #deafCount = 0;
  /** Whether messages may have been lost since the last look. */
  #inDoubt = false;
  #isLooking = false;
  #mustLook = false;

  constructor(options: RedisChangesOptions) {
    this.#options = options;
  }

  watch(listener: (change: Change) => void): () => void {
    const own = (change: Change): void => listener(change); // so that one listener can be added twice
    if (this.#listeners.size === 0) this.#start();
    this.#listeners.add(own);
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.close();
    };
  }

  /** Tells what this process has done. */
  tell(name: string, standing: Standing | undefined): void {
    if (this.#listeners.size === 0) return;
    this.#emit(name, standing);
    if (standing !== undefined) this.saw(name, standing);
  }

  /** This process has seen the stream so: whoever follows it needs to be told only of what comes later. */
  saw(name: string, standing: Standing): void {
    if (this.#listeners.size === 0) return;
    // An answer that was overtaken, or a stream that has gone back: that is for the next look to find out.
    if (standing.tail < (this.#known.get(name)?.tail ?? 0)) return;
    this.#known.delete(name);
    this.#known.set(name, standing);
    if (this.#known.size > MAX_KNOWN_STREAMS) this.#known.delete(this.#known.keys().next().value!);
  }

  close(): void {
    this.#listeners.clear();
    this.#known.clear();
    this.#stop?.();
    this.#stop = undefined;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
  }

  /** The other connection was found to be dead: this one may be so too. */
  renew(): void {
    if (this.#stop === undefined) return;
    if (this.#echo !== "") this.#subscribe();
    this.#tick();
  }

  #start(): void {
    this.#subscribe();
    this.#arm();
  }

  #subscribe(): void {
    const { port, channel } = this.#options;
    this.#stop?.();
    this.#inDoubt = true; // until the first echo: what is changed before it is not heard
    this.#echo = "";
    this.#deafCount = 0;
    this.#stop = port.subscribe(channel, {
      onMessage: (message) => this.#heard(message),
      onDown: () => {
        this.#inDoubt = true;
        this.#echo = "";
      },
      onUp: () => this.#tick(),
    });
  }

  #arm(): void {
    this.#cancelTick?.();
    this.#cancelTick = systemClock.after(ECHO_MS, () => this.#tick());
  }

  #tick(): void {
    if (this.#stop === undefined) return;
    if (this.#echo === "") this.#deafCount = 0;
    else this.#inDoubt = true; // a second without an answer
    // It has not come twice, though Redis has it: nothing comes over this connection any more.
    if (this.#echo !== "" && this.#deafCount >= MAX_DEAF_COUNT) this.#subscribe();
    if (this.#inDoubt) void this.#lookAgain();
    this.#echo = String(++this.#echoCount);
    const { port, channel, origin } = this.#options;
    port.send(channel, ["PUBLISH", channel, `${origin} ! ${this.#echo}`]).then(
      () => this.#deafCount++,
      () => {
        // The next tick finds out that the echo has not come.
      },
    );
    this.#arm();
  }

  /** A message is one line, `origin flags tail name`, and for a small append of text: `tail-before end`, and a line per item. */
  #heard(text: string): void {
    const lineEnd = text.indexOf("\n");
    const message = lineEnd < 0 ? text : text.slice(0, lineEnd);
    const [origin, flags = "", tail = ""] = message.split(" ", 3);
    if (flags === "!") {
      if (origin === this.#options.origin) this.#deafCount = 0;
      if (origin !== this.#options.origin || tail !== this.#echo) return;
      this.#echo = "";
      if (!this.#inDoubt) return;
      this.#inDoubt = false; // what has happened before this echo is seen by a look, what comes after it is told
      void this.#lookAgain();
      return;
    }
    if (origin === this.#options.origin) return;
    const name = message.slice(origin!.length + flags.length + tail.length + 3);
    if (flags !== "-") this.#options.onTurn?.(name);
    if (flags === "g") {
      this.#known.delete(name);
      this.#emit(name, undefined);
      return;
    }
    const standing: Standing = {
      tail: Number(tail),
      ended: flags.includes("e"),
      stopRequested: flags.includes("s"),
      released: flags.includes("r"),
    };
    const isKnown = this.#known.has(name);
    if (isKnown) this.#known.set(name, standing);
    // Only what is in use here is worth taking apart.
    this.#emit(
      name,
      standing,
      isKnown && lineEnd >= 0 ? { appended: toAppended(text.slice(lineEnd + 1), standing.tail) } : {},
    );
  }

  /** Looks at every stream in use here and tells what has changed; while that is under way already, once more after it. */
  async #lookAgain(): Promise<void> {
    this.#mustLook = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      while (this.#mustLook) {
        this.#mustLook = false;
        const names = [...this.#known.keys()];
        for (let start = 0; start < names.length && this.#stop !== undefined; start += BATCH) {
          await Promise.all(names.slice(start, start + BATCH).map((name) => this.#lookAt(name)));
        }
      }
    } catch {
      this.#inDoubt = true; // the store is out of reach: the next tick looks again
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookAt(name: string): Promise<void> {
    const before = this.#known.get(name);
    const now = await this.#options.look(name);
    // What was told while we looked is newer.
    if (before === undefined || this.#known.get(name) !== before || same(before, now)) return;
    if (now === undefined) this.#known.delete(name);
    else this.#known.set(name, now);
    this.#emit(name, now, now !== undefined && now.tail < before.tail ? { wentBack: true } : {});
  }

  #emit(
    name: string,
    standing: Standing | undefined,
    more: { readonly appended?: Change["appended"]; readonly wentBack?: boolean } = {},
  ): void {
    const change: Change =
      standing === undefined
        ? { name, tail: undefined, ended: true, stopRequested: false }
        : { ...standing, name, tail: offsetOf(standing.tail), ...more };
    for (const listener of this.#listeners) listener(change);
  }
}

/** @returns undefined where the lines are not those of the items, since one of these has a line end in it */
function toAppended(body: string, tail: number): Change["appended"] {
  const [head = "", ...payloads] = body.split("\n");
  const space = head.indexOf(" ");
  const before = Number(head.slice(0, space));
  if (payloads.length !== tail - before) return undefined;
  const items = payloads.map((payload, index) => ({ offset: offsetOf(before + 1 + index), payload }));
  return { before: offsetOf(before), items, end: toEnd(head.slice(space + 1)) };
}

function same(one: Standing, other: Standing | undefined): boolean {
  if (other === undefined) return false;
  return (
    one.tail === other.tail &&
    one.ended === other.ended &&
    one.stopRequested === other.stopRequested &&
    one.released === other.released
  );
}
