// What a relay must know of a fetch and cannot see: whether it gives bodies as they came, and whether it checks addresses.

const RAW: unique symbol = Symbol.for("tailrace.response.raw.1");
const GUARDED: unique symbol = Symbol.for("tailrace.fetch.guarded.1");

/** Marks a response whose body is as it came over the wire, still in its content coding. */
export function markRaw(response: Response): void {
  Object.defineProperty(response, RAW, { value: true });
}

/** Whether {@link markRaw} was called for it. A clone is not marked. */
export function isRaw(response: Response): boolean {
  return (response as { [RAW]?: true })[RAW] === true;
}

/** Marks a fetch that checks every address itself, at each redirect, and whose responses are raw. */
export function markGuarded(fetch: object): void {
  Object.defineProperty(fetch, GUARDED, { value: true });
}

export function isGuarded(fetch: object): boolean {
  return (fetch as { [GUARDED]?: true })[GUARDED] === true;
}
