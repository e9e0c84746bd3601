// The list of the newest jobs' ids: a stream of its own, so that it is the same in every process.

import { isTailraceError } from "../errors.ts";
import { isUnknown } from "../log/named.ts";
import type { Streams } from "../log/streams.ts";
import { report } from "../trace.ts";

/** The most jobs that the list knows. */
export const MAX_LISTED_COUNT = 1_000;

interface ListEntry {
  readonly id: string;
}

export class JobList {
  readonly #streams: Streams;
  readonly #name: string;
  #made: Promise<unknown> | undefined;

  constructor(streams: Streams, name: string) {
    this.#streams = streams;
    this.#name = name;
  }

  /** Adds a job. One that cannot be listed runs all the same: this never rejects. */
  async add(id: string): Promise<void> {
    try {
      await (this.#made ??= this.#make());
      await this.#streams.append(this.#name, [{ id } satisfies ListEntry]);
    } catch (error) {
      this.#made = undefined; // the next one tries again
      report(`job ${id}`, error);
    }
  }

  /** The newest `count` ids, newest first. */
  async newest(count: number): Promise<readonly string[]> {
    if (count === 0) return [];
    try {
      const after = await this.#streams.store.offsetBeforeLast(this.#name, count);
      const { entries } = await this.#streams.read<ListEntry>(this.#name, { after, maxItems: count });
      return entries.map(({ value }) => value.id).toReversed();
    } catch (error) {
      if (isUnknown(error)) return [];
      throw error;
    }
  }

  async #make(): Promise<void> {
    try {
      await this.#streams.create(this.#name, { maxItems: MAX_LISTED_COUNT });
    } catch (error) {
      // Made before, with a limit of its own: that holds.
      if (!isTailraceError(error, "stream_exists")) throw error;
    }
  }
}
