// What has come of an answer and was not given yet. A replay is held back until it is whole: one that was merged and is cut has no
// place to go on from, so it comes anew, and its reader must not have seen a piece of it.

/** The most chunks that are held back. A merged history is some ten; a longer one is given as it comes. */
export const MAX_HELD_COUNT = 20_000;

/** Chunks on their way to the reader, in their order. */
export class ReplayHold<T> {
  readonly #maxHeldCount: number;
  #items: T[] = [];
  #at = 0;
  #isHeld = true;

  constructor(maxHeldCount: number = MAX_HELD_COUNT) {
    this.#maxHeldCount = maxHeldCount;
  }

  /** Whether there is anything that is not given yet. */
  get isEmpty(): boolean {
    return this.#at >= this.#items.length;
  }

  /** Adds what has come. `beginsAnew` tells of the item before which the replay begins once more. */
  add(items: readonly T[], beginsAnew: (item: T) => boolean): void {
    const anew = this.#isHeld ? items.findLastIndex(beginsAnew) : -1;
    this.#items = anew >= 0 ? items.slice(anew) : [...this.#items.slice(this.#at), ...items];
    this.#at = 0;
    if (this.#items.length > this.#maxHeldCount) this.release();
  }

  /** The replay is whole, or there will be no more of it: from here on everything is given as it comes. */
  release(): void {
    this.#isHeld = false;
  }

  next(): T | undefined {
    if (this.#isHeld || this.isEmpty) return undefined;
    return this.#items[this.#at++];
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#items = [];
    this.#at = 0;
  }
}
