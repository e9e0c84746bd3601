// A follower that lives through the crashes of others, in the process of the test: it must see each stream once, without a hole.

import { createStreams, type Streams } from "../../src/index.ts";
import { systemClock } from "../../src/clock.ts";
import type { Body } from "./lines.ts";
import type { Oracle } from "./oracle.ts";
import type { Content } from "./rules.ts";
import { openStore, type OpenStore, type StoreSpec } from "./stores.ts";
import { LEASE_MS } from "./writer.ts";

interface Met {
  readonly offset: string;
  readonly key: string;
  readonly index: number;
}

/** A bound for a follower that has stopped for good, in milliseconds. */
const STUCK_MS = 60_000;

export class Witness {
  readonly #id: string;
  readonly #oracle: Oracle;
  readonly #opened: OpenStore;
  readonly #streams: Streams;
  readonly #last = new Map<string, string>();
  /** What each follower met: items, and gaps as undefined. */
  readonly #met = new Map<string, (Met | undefined)[]>();
  readonly #pulls = new Set<{ close(): void }>();
  /** Followers that have seen the end: it may be lost, but they are done. */
  readonly #done = new Set<string>();
  #onNews: () => void = () => {};
  #fault: Error | undefined;
  #isOver = false;

  readonly #livesThroughLoss: boolean;

  /** `livesThroughLoss`: it asks for the truth with `wasToldTheTruth`, since the model takes no gap. */
  constructor(id: string, spec: StoreSpec, aheadMs: number, oracle: Oracle, livesThroughLoss = false) {
    this.#livesThroughLoss = livesThroughLoss;
    this.#id = id;
    this.#oracle = oracle;
    this.#opened = openStore(spec, () => aheadMs);
    const clock = { ...systemClock, now: () => Date.now() + aheadMs };
    this.#streams = createStreams({ store: this.#opened.store, leaseMs: LEASE_MS, clock });
  }

  follow(name: string): void {
    this.#follow(name).catch((error: unknown) => {
      this.#fault = error as Error;
      this.#onNews();
    });
  }

  /** Waits until everything in `contents` was seen; what comes after that is not told. @throws if a follower failed, or got stuck */
  async sees(contents: ReadonlyMap<string, Content>): Promise<void> {
    const behind = (): string | undefined =>
      [...this.#last].find(([name, offset]) => {
        const last = contents.get(name)?.items.at(-1);
        return last !== undefined && offset !== last.offset && !this.#done.has(name);
      })?.[0];
    const limit = AbortSignal.timeout(STUCK_MS);
    while (behind() !== undefined && this.#fault === undefined) {
      if (limit.aborted)
        throw this.#oracle.violation(behind()!, `a follower got stuck at ${this.#last.get(behind()!)}`);
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
        limit.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    this.#isOver = true;
    if (this.#fault !== undefined) throw this.#oracle.violation("", `a follower failed: ${this.#fault.message}`);
  }

  /**
   * After items were lost that it may have been given: it was told of a gap wherever that is so, and has met everything that
   * there is. Call `sees` before.
   *
   * @throws {Violation}
   */
  wasToldTheTruth(contents: ReadonlyMap<string, Content>): number {
    let gaps = 0;
    for (const [name, met] of this.#met) {
      const items = contents.get(name)?.items ?? [];
      const fail = (what: string): never => {
        const shown = met.slice(-40).map((one) => (one === undefined ? "    gap" : `    ${JSON.stringify(one)}`));
        throw this.#oracle.violation(name, [`a follower ${what}`, ...shown].join("\n"));
      };
      gaps += met.filter((one) => one === undefined).length;
      const meanings = new Map<string, string>();
      for (const one of met) {
        if (one === undefined) continue;
        const meaning = `${one.key}[${one.index}]`;
        if ((meanings.get(one.offset) ?? meaning) !== meaning)
          fail(`was given two items with the offset ${one.offset}`);
        meanings.set(one.offset, meaning);
      }
      if (this.#done.has(name)) continue;
      for (const { offset, payload } of items) {
        const { key, index } = JSON.parse(payload as string) as Body;
        if (meanings.get(offset) !== `${key}[${index}]`) fail(`was not given ${key}[${index}] at ${offset}`);
      }
      const since = met.slice(met.lastIndexOf(undefined) + 1) as readonly Met[];
      const first = items.findIndex(({ offset }) => offset === since[0]?.offset);
      if (since.length > 0 && first < 0) fail(`was given ${since[0]!.key}, which is lost, and told of no gap`);
      const differs = since.find(({ offset }, at) => items[first + at]?.offset !== offset);
      if (differs !== undefined) fail(`was given ${differs.key}, which is lost, and told of no gap`);
    }
    return gaps;
  }

  async close(): Promise<void> {
    for (const pull of this.#pulls) pull.close();
    await this.#streams.close();
    await this.#opened.close();
  }

  async #follow(name: string): Promise<void> {
    this.#last.set(name, "");
    const met: (Met | undefined)[] = [];
    this.#met.set(name, met);
    const pull = (await this.#streams.follow(name).open()).pull();
    this.#pulls.add(pull);
    for (;;) {
      const result = await pull.next();
      if (this.#isOver) return;
      if (result.done === true) {
        if (pull.end !== undefined) this.#done.add(name);
        this.#onNews();
        if (pull.end !== undefined && !this.#livesThroughLoss)
          this.#oracle.take(this.#id, { is: "seen end", stream: name, reason: pull.end.reason });
        return;
      }
      if (result.value.kind === "gap") {
        met.push(undefined);
        if (!this.#livesThroughLoss) this.#oracle.take(this.#id, { is: "seen gap", stream: name });
      }
      if (result.value.kind !== "item") continue;
      const { offset, payload } = result.value.item;
      const { key, index } = JSON.parse(payload as string) as Body;
      met.push({ offset, key, index });
      if (!this.#livesThroughLoss) this.#oracle.take(this.#id, { is: "seen", stream: name, offset, key, index });
      this.#last.set(name, offset);
      this.#onNews();
    }
  }
}
