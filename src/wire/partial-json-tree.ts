// The value of a JSON text that is still arriving: where the next piece of it goes, and copies of it that nothing changes any more.

type Container = Record<string, unknown> | unknown[];

/** Part of a value whose text has not ended: any member may be missing, and any string may be the start of a longer one. */
export type DeepPartial<T> = unknown extends T
  ? T
  : T extends string
    ? string
    : T extends readonly (infer Item)[]
      ? DeepPartial<Item>[]
      : T extends object
        ? { [Key in keyof T]?: DeepPartial<T[Key]> }
        : T;

/** The value and the containers in it that are open, the innermost being the one that grows. */
export class GrowingValue {
  root: unknown = undefined;
  /** Whether anything was put since this was last set to false. */
  hasChanged = false;
  /** How many containers are open. */
  depth = 0;
  isArray = false;

  #object: Record<string, unknown> | undefined;
  #array: unknown[] | undefined;
  #key = "";
  #index = 0;
  /** The copy that the last snapshot made of the innermost container, as long as it is right; the others are in `#copies`. */
  #copy: Container | undefined;
  // The containers around the innermost one, outermost first, and where in each the next one stands.
  readonly #containers: (Container | undefined)[] = [];
  readonly #slots: (string | number)[] = [];
  readonly #copies: (Container | undefined)[] = [];

  /** Says that the next value belongs to `key` of the innermost object. */
  setKey(key: string): void {
    this.#key = key;
  }

  /** Says that the next value is the next element of the innermost array. */
  nextElement(): void {
    this.#index++;
  }

  /** Puts a value in its place, or in place of the start of it that was there. */
  put(value: unknown): void {
    this.hasChanged = true;
    this.#copy = undefined;
    if (this.#array !== undefined) this.#array[this.#index] = value;
    else if (this.#object !== undefined) setOwn(this.#object, this.#key, value);
    else this.root = value;
  }

  /** Puts an empty object or array in its place: what comes next goes into it. */
  open(isArray: boolean): void {
    const array: unknown[] | undefined = isArray ? [] : undefined;
    const object = isArray ? undefined : {};
    this.put(array ?? object);
    this.#containers.push(this.#array ?? this.#object);
    this.#slots.push(this.isArray ? this.#index : this.#key);
    this.#copies.push(undefined);
    this.#array = array;
    this.#object = object;
    this.#index = 0;
    this.isArray = isArray;
    this.depth++;
  }

  /** Ends the innermost container: it will not change any more. */
  close(): void {
    const copy = this.#copy;
    const container = this.#containers.pop();
    const slot = this.#slots.pop();
    this.#copy = this.#copies.pop();
    this.depth--;
    this.isArray = Array.isArray(container);
    this.#array = this.isArray ? (container as unknown[]) : undefined;
    this.#object = this.isArray ? undefined : (container as Record<string, unknown> | undefined);
    if (typeof slot === "number") this.#index = slot;
    else this.#key = slot ?? "";
    if (copy === undefined) {
      this.#copy = undefined; // it shows an older state of what has just ended
    } else {
      // Nothing came since the last snapshot: its copy takes the place of the original, so that the next snapshots share it.
      const kept = this.#copy;
      const { hasChanged } = this;
      this.put(copy);
      this.#copy = kept;
      this.hasChanged = hasChanged;
    }
  }

  /** A copy that stays as it is. What has not changed since the last one is the same object again; what has ended is not copied at all. */
  snapshot(): unknown {
    if (this.depth === 0) return this.root;
    // From the outside in: `#copies[level]` belongs to the container around the one at `level`.
    let child: Container | undefined;
    let isChildNew = false;
    for (let level = this.depth; level >= 1; level--) {
      const isInnermost = level === this.depth;
      const live = isInnermost ? (this.#array ?? this.#object) : this.#containers[level];
      let copy = isInnermost ? this.#copy : this.#copies[level];
      if (copy === undefined || isChildNew) {
        copy = Array.isArray(live) ? live.slice() : { ...live };
        if (child !== undefined) setSlot(copy, this.#slots[level] as string | number, child);
        if (isInnermost) this.#copy = copy;
        else this.#copies[level] = copy;
        isChildNew = true;
      }
      child = copy;
    }
    return child;
  }
}

function setSlot(container: Container, slot: string | number, value: unknown): void {
  if (Array.isArray(container)) container[slot as number] = value;
  else setOwn(container, slot as string, value);
}

/** As JSON.parse does it: `__proto__` too is a member like any other, and never the prototype. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
