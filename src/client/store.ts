// A small observable: what connections and hooks tell their listeners with.

/** Calls each listener; one that throws does not keep the others from hearing. */
export class Listeners {
  readonly #all = new Set<() => void>();

  /** Adds a listener; the same function may be added twice. Returns its removal. */
  add(listener: () => void): () => void {
    const own = (): void => listener();
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  call(): void {
    for (const listener of this.#all) {
      try {
        listener();
      } catch (error) {
        // The listener's own fault: it must surface, but not in the middle of a transition.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** A value that can be watched, in the shape that `useSyncExternalStore` takes. */
export class Store<S> {
  readonly #listeners = new Listeners();
  #value: S;
  /** Bound, so that they can be passed on as they are. */
  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);
  readonly getSnapshot = (): S => this.#value;

  constructor(initial: S) {
    this.#value = initial;
  }

  /** Sets the value; listeners hear of it if it is another one. */
  set(value: S): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.#listeners.call();
  }
}
