// A list that only grows, in groups: a full group is never touched again, so that showing the list costs its last group.

/** How many entries a full group has. */
export const GROUP_COUNT = 32;

/** Groups of entries, all but the last one full. A full group is the same array in every snapshot. */
export type Groups<T> = readonly (readonly T[])[];

export class GroupedList<T> {
  readonly #full: (readonly T[])[] = [];
  #rest: readonly T[] = [];

  push(entry: T): void {
    this.#rest = [...this.#rest, entry];
    if (this.#rest.length < GROUP_COUNT) return;
    this.#full.push(this.#rest);
    this.#rest = [];
  }

  /** What there is, and after it `more`, which is not kept. */
  snapshot(more: readonly T[] = []): Groups<T> {
    const last = [...this.#rest, ...more];
    // An entry keeps its place when `more` is kept one day.
    const groups = [last.slice(0, GROUP_COUNT), last.slice(GROUP_COUNT)].filter(({ length }) => length > 0);
    return [...this.#full, ...groups];
  }
}

/** `list` in groups. */
export function groupsOf<T>(list: Iterable<T>): Groups<T> {
  const grouped = new GroupedList<T>();
  for (const entry of list) grouped.push(entry);
  return grouped.snapshot();
}
