// `send` on node:http, as its manual shows.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { ROOT } from "./files-root.ts";

// It comes without types.
type Send = (
  request: IncomingMessage,
  path: string,
  options: { root: string },
) => { pipe(response: ServerResponse): void };
const send = createRequire(import.meta.url)("send") as Send;

createServer((request, response) => {
  send(request, request.url ?? "/", { root: ROOT }).pipe(response);
}).listen(0, "127.0.0.1");
