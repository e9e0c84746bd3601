// Reads one body to its end, as fast as the sink takes it, and notices when nothing comes any more.

import { TailraceError } from "../errors.ts";
import { untilAborted } from "./transfer-wait.ts";
import { startWatchdog } from "./watchdog.ts";

/** Whom the bytes go to. */
export interface BodyReader {
  readonly idleMs: number;
  take(chunk: Uint8Array<ArrayBuffer>): void;
  /** Resolves once another chunk is wanted; undefined: it is wanted now. */
  ready(): Promise<void> | undefined;
}

/**
 * Reads `body` and lets it go on every way out.
 *
 * @throws TailraceError `connection_failed` when it is cut or silent; what `take` and `ready` throw; the signal's reason.
 */
export async function readBody(body: ReadableStream<Uint8Array>, to: BodyReader, signal: AbortSignal): Promise<void> {
  const { idleMs } = to;
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  let idle: TailraceError | undefined;
  const leave = (): void => void reader.cancel().catch(() => undefined);
  const watch = startWatchdog(idleMs, () => {
    const message = `No byte of the file arrived for ${idleMs} ms, so the connection counts as cut.`;
    idle = new TailraceError("connection_failed", message, { details: { idleMs } });
    leave();
  });
  signal.addEventListener("abort", leave, { once: true });
  try {
    signal.throwIfAborted();
    for (;;) {
      const room = to.ready();
      if (room !== undefined) {
        // The reader is slow, not the server.
        watch.rest();
        await untilAborted(room, signal);
        watch.touch();
      }
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new TailraceError("connection_failed", "The connection was cut in the middle of the file.", { cause });
      });
      signal.throwIfAborted();
      if (idle !== undefined) throw idle;
      if (done) return;
      watch.touch();
      to.take(value);
    }
  } finally {
    watch.stop();
    signal.removeEventListener("abort", leave);
    leave();
  }
}
