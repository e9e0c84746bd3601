// Next.js takes `content-length` and `content-encoding` away from what a route handler answers. This puts them back, for replies
// that say under another name how long they are and how they are coded.

import { LENGTH_HEADER } from "../reply/file.ts";
import { restoreEncoding } from "./content-encoding.ts";

interface RequestLike {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

interface ResponseLike {
  getHeader(name: string): unknown;
  setHeader(name: string, value: string): unknown;
  removeHeader(name: string): void;
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
 * reply carries its `content-length` again, for GET and HEAD, so that browsers show how much is left, and a reply of
 * `compress` its `content-encoding`, without which `compress` leaves replies to Next.js.
 *
 * It wraps `writeHead` of **every** response of the process, which is why it is never done unasked. Responses without
 * `tailrace-content-length` or `tailrace-content-encoding` stay as they are. What the host has compressed gets no length, and a weak tag: its bytes are
 * others than those that a range would be cut from.
 */
export function keepContentLength(): void {
  const home = globalThis as { [KEY]?: boolean; process?: ProcessLike };
  const channels = home.process?.getBuiltinModule?.("node:diagnostics_channel");
  if (channels === undefined || home[KEY] === true) return; // once per process, however often the module is loaded
  home[KEY] = true;
  // Before any listener of the server sees the request, so that whatever else wraps `writeHead` runs before this: by then
  // compression has decided.
  channels.subscribe("http.server.request.start", (message) => {
    const { request, response } = message as { request: RequestLike; response: ResponseLike };
    keep(request, response);
  });
}

/** Whether {@link keepContentLength} was called in this process. */
export function keepsContentEncoding(): boolean {
  return (globalThis as { [KEY]?: boolean })[KEY] === true;
}

function keep(request: RequestLike, response: ResponseLike): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const { writeHead } = response;
  response.writeHead = function (this: ResponseLike, ...args: readonly unknown[]): unknown {
    restoreEncoding(this);
    const length = this.getHeader(LENGTH_HEADER);
    const isFree = ["content-length", "transfer-encoding"].every((name) => this.getHeader(name) === undefined);
    if (typeof length === "string" && /^\d+$/.test(length) && isFree) {
      if (isCompressed(request, this)) describeCompressed(this);
      else this.setHeader("content-length", length);
    }
    return writeHead.apply(this, args as []);
  };
}

/**
 * Whether the host compresses the answer to a GET like this one. It leaves a HEAD alone, but says by Vary that the encoding
 * decides; a HEAD must not name another length than the GET (RFC 9110 section 8.6).
 */
function isCompressed(request: RequestLike, response: ResponseLike): boolean {
  if (response.getHeader("content-encoding") !== undefined) return true;
  return (
    request.method === "HEAD" &&
    /accept-encoding/i.test(String(response.getHeader("vary"))) &&
    /gzip|deflate|br|zstd|\*/i.test(String(request.headers["accept-encoding"]))
  );
}

/** RFC 9110 section 8.8.3.3: with a coding it is another representation, which must not have the strong tag of the plain one. */
function describeCompressed(response: ResponseLike): void {
  const tag = response.getHeader("etag");
  if (typeof tag === "string" && tag.startsWith('"')) response.setHeader("etag", `W/${tag}`);
  response.removeHeader("accept-ranges");
  response.removeHeader(LENGTH_HEADER);
}
