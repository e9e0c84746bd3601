import { describe, expect, test } from "vitest";
import type { Pull } from "../bytes/source.ts";
import { createManualClock, type ManualClock } from "../testing/manual-clock.ts";
import { RelayBody } from "./relay-body.ts";

/** Gives `bytes` as one chunk, and then what `end` makes. */
class Upstream implements Pull<Uint8Array> {
  closedCount = 0;
  readonly #end: () => Promise<IteratorResult<Uint8Array, undefined>>;
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array, end: () => Promise<IteratorResult<Uint8Array, undefined>>) {
    this.#bytes = bytes;
    this.#end = end;
  }

  next(): IteratorResult<Uint8Array, undefined> | Promise<IteratorResult<Uint8Array, undefined>> {
    const value = this.#bytes;
    if (value === undefined) return this.#end();
    this.#bytes = undefined;
    return { done: false, value };
  }

  close(): void {
    this.closedCount++;
  }
}

function bodyOf(upstream: Upstream, clock: ManualClock): RelayBody {
  return new RelayBody(upstream, { announcedBytes: 3, maxBytes: 10, idleMs: Infinity, clock });
}

describe("RelayBody, all announced bytes being there", () => {
  test("closes an upstream that stays open for longer than 1,000 ms", async () => {
    const clock = createManualClock();
    const upstream = new Upstream(new Uint8Array(3), () => new Promise(() => undefined));
    const body = bodyOf(upstream, clock);
    expect(await body.next()).toMatchObject({ done: false });
    expect(await body.next()).toEqual({ done: true, value: undefined });
    body.close();
    clock.advance(999);
    expect(upstream.closedCount).toBe(0);
    clock.advance(1);
    expect(upstream.closedCount).toBe(1);
  });

  test("leaves no timer behind an upstream that ends, well or not", async () => {
    for (const end of [
      async () => ({ done: true, value: undefined }) as const,
      () => Promise.reject(new Error("reset")),
    ]) {
      const clock = createManualClock();
      const upstream = new Upstream(new Uint8Array(3), end);
      await bodyOf(upstream, clock).next();
      await new Promise((resolve) => setImmediate(resolve));
      expect(clock.timerCount).toBe(0);
      expect(upstream.closedCount).toBe(0);
    }
  });
});
