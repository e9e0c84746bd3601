// The sources that our own rows send: ready events from an async or a sync iterable, and events that trickle.

import { dataAt, nextTurn, type Payload, type Wish } from "./payload.ts";

export interface Item {
  readonly data: string | Payload;
}

/** Everything is ready, yet each item is a promise; or, if the wish is so, one comes in each turn of the event loop. */
export async function* asyncItems({ count, objects, trickle }: Wish): AsyncGenerator<Item, void, void> {
  for (let i = 0; i < count; i += 1) {
    if (trickle) await nextTurn();
    yield { data: dataAt(i, objects) };
  }
}

/** Everything is ready, and known to be. */
export function* syncItems({ count, objects }: Wish): Generator<Item, void, void> {
  for (let i = 0; i < count; i += 1) yield { data: dataAt(i, objects) };
}
