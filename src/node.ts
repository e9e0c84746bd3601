// `tailrace/node`: for node:http.

export { closeServer } from "./node/close-server.ts";
export { createListener, type Handler } from "./node/listener.ts";
export type { ShutdownOptions } from "./reply/shutdown.ts";
