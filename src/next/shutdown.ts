// Next.js and open streams: `next start` waits for every open response when it is told to end, so that one event stream
// would keep it alive for ever. This ends them beside Next's own handler.

import { unref } from "../clock.ts";
import { shutdown, type ShutdownOptions } from "../reply/shutdown.ts";
import { report } from "../trace.ts";

interface ServerLike {
  closeIdleConnections(): void;
}

interface Diagnostics {
  subscribe(name: string, listener: (message: unknown) => void): void;
}

interface ProcessLike {
  once(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  exit(code: number): never;
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(id: "node:diagnostics_channel"): Diagnostics;
}

const KEY: unique symbol = Symbol.for("tailrace.next.shutdown.1");
const SWEEP_MS = 50;

/**
 * Call this in `register()` of `instrumentation.ts`, inside `if (process.env.NEXT_RUNTIME === "nodejs")`. On SIGTERM and
 * SIGINT it runs {@link shutdown}; Next then ends the process. Where `NEXT_MANUAL_SIG_HANDLE` is set Next does not, and this does.
 */
export function endStreamsOnShutdown(options: ShutdownOptions = {}): void {
  const home = globalThis as { [KEY]?: boolean; process?: ProcessLike };
  const host = home.process;
  if (host === undefined || home[KEY] === true) return; // once per process, however often the module is loaded
  home[KEY] = true;
  const servers = watchServers(host);
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    void shutdown(options)
      .catch((error: unknown) => report("shutdown", error))
      .finally(() => {
        if (host.env["NEXT_MANUAL_SIG_HANDLE"]) host.exit(0);
        sweepConnections(servers);
      });
  };
  host.once("SIGTERM", end);
  host.once("SIGINT", end);
}

/** The servers of this process, as they show with their first request: Next does not hand out its own. */
function watchServers(host: ProcessLike): ReadonlySet<ServerLike> {
  const servers = new Set<ServerLike>();
  host.getBuiltinModule?.("node:diagnostics_channel").subscribe("http.server.request.start", (message) => {
    servers.add((message as { server: ServerLike }).server);
  });
  return servers;
}

/**
 * Next has closed its server by now, but a connection whose stream ended after that stays open until its keep-alive runs out
 * (6 s), and the process with it.
 */
function sweepConnections(servers: ReadonlySet<ServerLike>): void {
  const sweep = (): void => {
    for (const server of servers) server.closeIdleConnections();
  };
  sweep();
  const timer: unknown = setInterval(sweep, SWEEP_MS);
  unref(timer);
}
