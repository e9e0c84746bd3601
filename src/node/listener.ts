// A handler of web Requests as a listener for node:http. Replies of ours are written to the socket as they are pulled, with no
// web stream in between.

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { isPromiseLike, openSource, type Pull } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import { pullOf } from "../reply/reply.ts";
import { report } from "../trace.ts";

/** What answers a request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/**
 * A listener for `http.createServer`. The request's signal aborts when the reader leaves before the answer is complete. A
 * handler that throws is answered with problem details that tell a client nothing internal.
 */
export function createListener(handler: Handler): RequestListener {
  return (incoming, outgoing) => {
    void answer(handler, incoming, outgoing);
  };
}

async function answer(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const controller = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) controller.abort(new DOMException("The reader has left.", "AbortError"));
  });
  // Without a listener, a socket that breaks while nobody writes would end the process.
  outgoing.on("error", () => undefined);
  let response: Response;
  try {
    response = await handler(toRequest(incoming, controller.signal));
  } catch (error) {
    if (!isTailraceError(error) || error.status >= 500) report("handler", error);
    response = problem(error);
  }
  await send(response, outgoing, incoming.method === "HEAD");
}

/** Where a request has no usable Host header. */
const NO_HOST = "localhost";

function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", headersDistinct, socket } = incoming;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    if (name.startsWith(":")) continue; // HTTP/2 pseudo-headers
    for (const value of values) headers.append(name, value);
  }
  const scheme = "encrypted" in socket ? "https" : "http";
  const host = incoming.headers.host ?? NO_HOST;
  // A target in absolute form (RFC 9112 section 3.2.2) names its own host; any other is a path.
  const target = incoming.url ?? "/";
  const url = target.startsWith("/")
    ? `${scheme}://${host}${target}`
    : URL.canParse(target)
      ? target
      : `${scheme}://${host}/`;
  if (!URL.canParse(url)) {
    throw new TailraceError("input_invalid", "The request's Host and target make no address.", { status: 400 });
  }
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers, signal });
  const body = Readable.toWeb(incoming) as NodeReadableStream<Uint8Array> as ReadableStream<Uint8Array>;
  return new Request(url, { method, headers, signal, body, duplex: "half" } as RequestInit);
}

async function send(response: Response, outgoing: ServerResponse, isHead: boolean): Promise<void> {
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) if (name !== "set-cookie") outgoing.setHeader(name, value);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);

  const pull = pullOf(response) ?? (response.body === null ? undefined : openSource(response.body));
  if (pull === undefined || isHead || outgoing.destroyed) {
    pull?.close();
    outgoing.end();
    return;
  }
  try {
    await writeAll(pull, outgoing);
  } catch {
    outgoing.destroy(); // the cut tells the reader that this is not the whole; the reply has reported why
  }
}

/** Pulls and writes, one chunk per demand of the socket. */
async function writeAll(pull: Pull<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  let onWritable: (() => void) | undefined;
  const proceed = (): void => {
    onWritable?.();
    onWritable = undefined;
  };
  const leave = (): void => {
    pull.close();
    proceed();
  };
  outgoing.on("drain", proceed);
  outgoing.once("close", leave);
  try {
    for (;;) {
      const next = pull.next();
      const result = isPromiseLike(next) ? await next : next;
      if (outgoing.destroyed) return;
      if (result.done === true) {
        outgoing.end();
        return;
      }
      if (result.value.byteLength === 0) outgoing.flushHeaders();
      else if (!outgoing.write(result.value)) await new Promise<void>((resolve) => (onWritable = resolve));
    }
  } finally {
    outgoing.off("drain", proceed);
    outgoing.off("close", leave);
    pull.close();
  }
}
