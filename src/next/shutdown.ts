// Next.js and open streams: `next start` waits for every open response when it is told to end, so that one event stream
// would keep it alive for ever. This ends them beside Next's own handler.

import { shutdown, type ShutdownOptions } from "../reply/shutdown.ts";
import { report } from "../trace.ts";

interface ProcessLike {
  once(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  exit(code: number): never;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const KEY: unique symbol = Symbol.for("tailrace.next.shutdown.1");

/**
 * Call this in `register()` of `instrumentation.ts`, inside `if (process.env.NEXT_RUNTIME === "nodejs")`. On SIGTERM and
 * SIGINT it runs {@link shutdown}; Next then ends the process. Where `NEXT_MANUAL_SIG_HANDLE` is set Next does not, and this does.
 */
export function endStreamsOnShutdown(options: ShutdownOptions = {}): void {
  const home = globalThis as { [KEY]?: boolean; process?: ProcessLike };
  const host = home.process;
  if (host === undefined || home[KEY] === true) return; // once per process, however often the module is loaded
  home[KEY] = true;
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    void shutdown(options)
      .catch((error: unknown) => report("shutdown", error))
      .finally(() => {
        if (host.env["NEXT_MANUAL_SIG_HANDLE"]) host.exit(0);
      });
  };
  host.once("SIGTERM", end);
  host.once("SIGINT", end);
}
