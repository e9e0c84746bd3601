// How far streams were once, as this process was told: by that a Redis is found out that has lost the newest items.

/** The most streams that are kept in mind; the one used longest ago is forgotten first. */
export const MAX_KNOWN_TAILS = 20_000;

export class KnownTails {
  readonly #tails = new Map<string, number>();

  /** The farthest tail of the stream that was ever seen here. */
  of(name: string): number | undefined {
    return this.#tails.get(name);
  }

  /** The stream was seen with this tail, or was told to have it. */
  saw(name: string, tail: number): void {
    const before = this.#tails.get(name) ?? 0;
    this.#tails.delete(name);
    this.#tails.set(name, Math.max(before, tail));
    if (this.#tails.size > MAX_KNOWN_TAILS) this.#tails.delete(this.#tails.keys().next().value!);
  }
}
