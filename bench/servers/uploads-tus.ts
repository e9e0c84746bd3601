// @tus/server with its own FileStore: the benchmark creates an upload, and measures the one PATCH that fills it.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { FOLDER, peer } from "./uploads-ends.ts";

interface TusServer {
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
}

const { Server } = await peer<{ Server: new (options: object) => TusServer }>("@tus/server");
const { FileStore } = await peer<{ FileStore: new (options: object) => unknown }>("@tus/file-store");
const tus = new Server({
  path: "/files",
  datastore: new FileStore({ directory: FOLDER }),
  respectForwardedHeaders: false,
});

createServer((incoming, outgoing) => void tus.handle(incoming, outgoing)).listen(0, "127.0.0.1");
