// Next.js takes `content-length` away from what a route handler answers. This puts it back, for replies that say how long they are.

import { LENGTH_HEADER } from "../reply/file.ts";

interface ResponseLike {
  getHeader(name: string): unknown;
  setHeader(name: string, value: string): unknown;
  writeHead(...args: readonly unknown[]): unknown;
  statusCode: number;
}

interface Diagnostics {
  subscribe(name: string, listener: (message: unknown) => void): void;
}

interface ProcessLike {
  getBuiltinModule?(id: "node:diagnostics_channel"): Diagnostics;
}

const KEY: unique symbol = Symbol.for("tailrace.next.content-length.1");

/**
 * Call this in `register()` of `instrumentation.ts`, inside `if (process.env.NEXT_RUNTIME === "nodejs")`. From then on a file
 * reply carries its `content-length` again, for GET and HEAD, so that browsers show how much is left.
 *
 * It wraps `writeHead` of **every** response of the process, which is why it is never done unasked. Responses without
 * `tailrace-content-length` stay as they are, and so do those that the host has compressed.
 */
export function keepContentLength(): void {
  const home = globalThis as { [KEY]?: boolean; process?: ProcessLike };
  const channels = home.process?.getBuiltinModule?.("node:diagnostics_channel");
  if (channels === undefined || home[KEY] === true) return; // once per process, however often the module is loaded
  home[KEY] = true;
  // Before any listener of the server sees the request, so that whatever else wraps `writeHead` runs before this: by then
  // compression has decided.
  channels.subscribe("http.server.request.start", (message) => keep((message as { response: ResponseLike }).response));
}

function keep(response: ResponseLike): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const { writeHead } = response;
  response.writeHead = function (this: ResponseLike, ...args: readonly unknown[]): unknown {
    const length = this.getHeader(LENGTH_HEADER);
    const isFree = ["content-length", "content-encoding", "transfer-encoding"].every(
      (name) => this.getHeader(name) === undefined,
    );
    if (typeof length === "string" && /^\d+$/.test(length) && isFree) this.setHeader("content-length", length);
    return writeHead.apply(this, args as []);
  };
}
