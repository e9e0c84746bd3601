// `tailrace/node`: for node:http.

export { createListener, type Handler } from "./node/listener.ts";
