// The bounded queue between the network and the reader: the one place where either waits for the other.

/** What a take gives: the items, or nothing when there will be no more. */
type Taken<T> = readonly T[] | undefined;

/**
 * Holds at most `maxItems`. The producer pushes and, when told so, waits for room; the reader takes one item, or all of
 * them. While the queue is *held* (a replay), batches wait until the hold ends or the queue is full; single items do not.
 */
export class ItemQueue<T> {
  readonly #maxItems: number;
  #items: T[] = [];
  #head = 0;
  #held = false;
  #finished = false;
  #failure: { readonly error: unknown } | undefined;
  #readers: (() => void)[] = [];
  #producers: (() => void)[] = [];

  constructor(maxItems: number) {
    this.#maxItems = maxItems;
  }

  /** Items that wait for the reader. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item. Gives a promise when the queue is now full: wait for it before the next push. */
  push(item: T): Promise<void> | undefined {
    if (this.#finished) return undefined;
    this.#items.push(item);
    this.#callReaders();
    return this.size < this.#maxItems ? undefined : new Promise((resolve) => this.#producers.push(resolve));
  }

  /** Begins or ends a hold of batches. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.#callReaders();
  }

  /** No more items. `discard` drops what is queued; after the last item readers end, or throw `failure.error`. */
  finish(discard: boolean, failure?: { readonly error: unknown }): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#failure = failure;
    if (discard) this.#clear();
    this.releaseProducer();
    this.#callReaders();
  }

  /** Lets a producer go that waits for room, whether there is any or not: its connection was taken away. */
  releaseProducer(): void {
    const producers = this.#producers;
    this.#producers = [];
    for (const resolve of producers) resolve();
  }

  /** The next item alone; undefined at the end. Throws the failure that the queue was finished with. */
  async take(): Promise<Taken<T>> {
    return this.#take(
      () => this.size > 0,
      () => {
        const item = this.#items[this.#head] as T;
        this.#items[this.#head] = undefined as T;
        this.#head += 1;
        // Shifting an array costs its length; dropping the used half now and then costs a constant per item.
        if (this.#head > 512 && this.#head * 2 > this.#items.length) {
          this.#items = this.#items.slice(this.#head);
          this.#head = 0;
        }
        return [item];
      },
    );
  }

  /** All items, once there is one and no hold keeps them; undefined at the end. Throws as {@link take} does. */
  async takeAll(): Promise<Taken<T>> {
    return this.#take(
      () => this.size > 0 && (!this.#held || this.#finished || this.size >= this.#maxItems),
      () => {
        const items = this.#items.slice(this.#head);
        this.#clear();
        return items;
      },
    );
  }

  async #take(ready: () => boolean, remove: () => readonly T[]): Promise<Taken<T>> {
    while (!ready()) {
      if (this.#finished) {
        if (this.#failure !== undefined) throw this.#failure.error;
        return undefined;
      }
      await new Promise<void>((resolve) => this.#readers.push(resolve));
    }
    const items = remove();
    if (this.size < this.#maxItems) this.releaseProducer();
    return items;
  }

  #clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  #callReaders(): void {
    const readers = this.#readers;
    this.#readers = [];
    for (const resolve of readers) resolve();
  }
}
