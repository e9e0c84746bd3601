// What becomes of the rest of a body that is refused: read for a moment and thrown away, so that the sender gets to read why.

import { isPromiseLike, type Pull } from "../bytes/source.ts";
import { afterTurn, type Clock } from "../clock.ts";
import type { TakenBody } from "./body-pull.ts";

/** A sender that goes on sending is cut off after this, in milliseconds ... */
const LINGER_MS = 2_000;
/** ... or after this many bytes. */
const LINGER_BYTES = 67_108_864;
/** Between two looks at the rest of the world, in bytes. */
const TURN_BYTES = 1_048_576;

/** Throws the rest of `body` away. Never throws. */
export function discard(body: TakenBody, clock: Clock): void {
  if (body.closeCuts) void linger(body.pull, clock);
  else body.pull.close();
}

/**
 * Reads on, holding nothing, until the body ends or a limit is reached, then closes `pull`. Cutting the connection at once would make most
 * clients report a broken connection instead of the answer (RFC 9112 section 9.6). Never rejects.
 */
async function linger(pull: Pull<Uint8Array>, clock: Clock): Promise<void> {
  const over = new AbortController();
  const cancel = clock.after(LINGER_MS, () => {
    over.abort();
    pull.close();
  });
  try {
    let bytes = 0;
    for (let turnBytes = TURN_BYTES; !over.signal.aborted && bytes < LINGER_BYTES;) {
      // The answer goes first.
      if (turnBytes >= TURN_BYTES) {
        await new Promise<void>((resolve) => void afterTurn(resolve));
        turnBytes = 0;
      }
      const next = pull.next();
      const result = isPromiseLike(next) ? await next : next;
      if (result.done === true) break;
      bytes += result.value.byteLength;
      turnBytes += result.value.byteLength + 1; // an empty chunk is work, too
    }
    pull.close();
  } catch {
    // The sender has gone: nobody waits for an answer, and there is nothing left to close.
  } finally {
    cancel();
  }
}
