// Waiting for something that may never come, for as long as is stated and no longer.

import { systemClock, type Clock } from "../clock.ts";

/** How a promise stands after a wait; `late` if it has not settled. */
export type Settled =
  | { readonly is: "resolved" }
  | { readonly is: "rejected"; readonly error: unknown }
  | { readonly is: "late" };

/** Waits for `promise`, at most `limitMs` milliseconds. Never rejects. */
export function settled(promise: Promise<unknown>, limitMs: number, clock: Clock = systemClock): Promise<Settled> {
  return new Promise((resolve) => {
    const cancel = clock.after(limitMs, () => resolve({ is: "late" }));
    promise.then(
      () => {
        cancel();
        resolve({ is: "resolved" });
      },
      (error: unknown) => {
        cancel();
        resolve({ is: "rejected", error });
      },
    );
  });
}
