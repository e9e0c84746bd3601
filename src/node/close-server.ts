// The end of a node:http server with open streams.

import type { Server } from "node:http";
import { shutdown, type ShutdownOptions } from "../reply/shutdown.ts";

/**
 * Stops taking connections, runs {@link shutdown}, and resolves once the server is closed. What is still open then, of whatever
 * kind, is cut. For a handler of SIGTERM:
 *
 * ```ts
 * process.once("SIGTERM", () => void closeServer(server, { streams: [streams] }));
 * ```
 */
export async function closeServer(server: Server, options: ShutdownOptions = {}): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await shutdown(options);
  // The last bytes are handed to the operating system in this turn; connections that are busy after it are not ours.
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), LAST_BYTES_MS);
  await closed;
  clearTimeout(cut);
}

/** How long the last bytes of a reply may take to leave, in milliseconds. */
const LAST_BYTES_MS = 500;
