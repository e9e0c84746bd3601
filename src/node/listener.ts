// A handler of web Requests as a listener for node:http. Replies of ours are written to the socket as they are pulled, with no
// web stream in between.

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { isPromiseLike, openSource } from "../bytes/source.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import { markDirect } from "../reply/direct-response.ts";
import { pullOf } from "../reply/reply.ts";
import { report } from "../trace.ts";
import { incomingBody } from "./incoming-body.ts";
import { openTrailers, type TrailerFields } from "./trailer-fields.ts";

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
    response = await handler(toRequest(incoming, outgoing, controller.signal));
  } catch (error) {
    if (!isTailraceError(error) || error.status >= 500) report("handler", error);
    response = problem(error);
  }
  await send(response, outgoing, incoming.method === "HEAD");
}

/** Where a request has no usable Host header. */
const NO_HOST = "localhost";

function toRequest(incoming: IncomingMessage, outgoing: ServerResponse, signal: AbortSignal): Request {
  const { method = "GET", rawHeaders, socket } = incoming;
  const headers: [string, string][] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!name.startsWith(":")) headers.push([name, rawHeaders[index + 1] ?? ""]); // else one of HTTP/2's pseudo-headers
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
  if (method === "GET" || method === "HEAD") return makeRequest(url, { method, headers, signal });
  const body = incomingBody(incoming, outgoing);
  return makeRequest(url, { method, headers, signal, body, duplex: "half" } as RequestInit);
}

function makeRequest(url: string, init: RequestInit): Request {
  try {
    const request = new Request(url, init);
    markDirect(request);
    return request;
  } catch (error) {
    if (URL.canParse(url)) throw error; // asked only now, as every address would be parsed twice
    throw new TailraceError("input_invalid", "The request's Host and target make no address.", { status: 400 });
  }
}

async function send(response: Response, outgoing: ServerResponse, isHead: boolean): Promise<void> {
  const ours = pullOf(response);
  const announced = ours === undefined ? undefined : announcedBytes(response.headers);
  const trailers = announced === undefined ? openTrailers(response, outgoing) : undefined;
  writeHeaders(response, outgoing, announced !== undefined);
  const pull: BytePull | undefined = ours ?? (response.body === null ? undefined : openSource(response.body));
  if (pull === undefined || isHead || outgoing.destroyed) {
    pull?.close();
    outgoing.end();
    return;
  }
  try {
    const first = pull.next();
    if (announced !== undefined && !isPromiseLike(first) && first.value?.byteLength === announced) {
      writeWhole(pull, first.value, outgoing);
    } else await writeAll(pull, first, outgoing, announced, trailers);
  } catch {
    pull.close();
    outgoing.destroy(); // the cut tells the reader that this is not the whole; the reply has reported why
  }
}

function writeHeaders({ status, headers }: Response, outgoing: ServerResponse, hasLength: boolean): void {
  // All at once costs a third of one by one, but then Node has to be told how long the body is.
  if (hasLength && outgoing.req.httpVersionMajor === 1) {
    const raw: string[] = [];
    for (const [name, value] of headers) raw.push(name, value);
    outgoing.writeHead(status, raw);
    return;
  }
  outgoing.statusCode = status;
  for (const [name, value] of headers) if (name !== "set-cookie") outgoing.setHeader(name, value);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
}

/** Writes a body that is there in one piece, with its head. Until it is flushed the reply counts as open: a shutdown waits for it. */
function writeWhole(pull: BytePull, chunk: Chunk, outgoing: ServerResponse): void {
  outgoing.once("close", () => {
    if (outgoing.writableFinished) pull.recycle?.(chunk);
    pull.close();
  });
  outgoing.end(chunk);
}

/** How long a reply of ours says that it is, in bytes; undefined where it does not. */
function announcedBytes(headers: Headers): number | undefined {
  const value = headers.get("content-length");
  return value === null ? undefined : Number(value);
}

/**
 * Pulls and writes, one chunk per demand of the socket. With `announced` the last chunk is known as such and leaves in one
 * piece with the end, and for a small reply with the head too.
 */
async function writeAll(
  pull: BytePull,
  first: ReturnType<BytePull["next"]>,
  outgoing: ServerResponse,
  announced: number | undefined,
  trailers: TrailerFields | undefined,
): Promise<void> {
  let left = announced;
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
    for (let next = first; ; next = pull.next()) {
      const result = isPromiseLike(next) ? await next : next;
      if (outgoing.destroyed) return;
      if (result.done === true) {
        trailers?.add();
        outgoing.end();
        return;
      }
      const chunk = result.value;
      trailers?.update(chunk);
      if (left !== undefined && (left -= chunk.byteLength) === 0) {
        // Until it is flushed the reply counts as open: a shutdown waits for it.
        await new Promise<void>((resolve) => {
          onWritable = resolve;
          outgoing.end(chunk, proceed);
        });
        if (outgoing.writableFinished) pull.recycle?.(chunk);
        return;
      }
      if (chunk.byteLength === 0) outgoing.flushHeaders();
      else if (!write(outgoing, chunk, pull)) await new Promise<void>((resolve) => (onWritable = resolve));
    }
  } finally {
    outgoing.off("drain", proceed);
    outgoing.off("close", leave);
    pull.close();
  }
}

function write(outgoing: ServerResponse, chunk: Uint8Array<ArrayBuffer>, pull: BytePull): boolean {
  if (pull.recycle === undefined) return outgoing.write(chunk);
  // Only what was written without an error: a write that failed may still be under way in the kernel's queue.
  return outgoing.write(chunk, (error) => {
    if (error === undefined || error === null) pull.recycle?.(chunk);
  });
}
