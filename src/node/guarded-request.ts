// One request over node:http to an address that has been checked, and the answer as a Response whose body is raw.

import { once } from "node:events";
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { toReadableStream } from "../bytes/bridge.ts";
import type { Chunk } from "../bytes/byte-pull.ts";
import { isPromiseLike, type Pull } from "../bytes/source.ts";
import { systemClock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { markRaw } from "../flow/fetch-marks.ts";
import type { Hop } from "../flow/redirect.ts";
import { announcedBytes } from "../flow/relay-headers.ts";
import { offerPull, takeBody } from "../receive/body-pull.ts";
import { ownChunk, releaseChunk } from "../receive/own-chunks.ts";
import { hostnameOf, portOf } from "./address-guard.ts";
import { UpstreamBody } from "./upstream-body.ts";

/** The connections of one guarded fetch. They are kept by the address that they lead to, which was checked when they were made. */
export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export function createAgents(maxSocketCount: number): Agents {
  const options = { keepAlive: true, maxSockets: maxSocketCount, maxFreeSockets: 64, scheduling: "lifo" } as const;
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
}

export interface Attempt {
  readonly hop: Hop;
  /** The checked address to connect to. */
  readonly address: string;
  readonly connectMs: number;
  readonly agents: Agents;
  readonly signal: AbortSignal | undefined;
}

/** A failure before a connection stood: another address may do. */
export class NotConnected extends Error {}
/** A kept connection that the other side had closed meanwhile: a new one may do. */
export class StaleConnection extends Error {}

const NO_CONTENT: ReadonlySet<number> = new Set([204, 205, 304]);

/** Sends the request and gives the answer once its head is there. */
export async function attempt({ hop, address, connectMs, agents, signal }: Attempt): Promise<Response> {
  const isHttps = hop.url.protocol === "https:";
  const hostname = hostnameOf(hop.url);
  const outgoing = (isHttps ? httpsRequest : httpRequest)({
    // An address and not a name: nothing is left to be resolved. The name is what the certificate must be for.
    host: address,
    port: portOf(hop.url),
    servername: isIP(hostname) === 0 ? hostname : "",
    method: hop.method,
    path: `${hop.url.pathname}${hop.url.search}`,
    headers: { ...Object.fromEntries(hop.headers), host: hop.url.host, ...framing(hop) },
    agent: isHttps ? agents.https : agents.http,
  });
  const abort = (): void => void outgoing.destroy(aborted(signal));
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await connected(outgoing, connectMs);
    const upload = hop.body instanceof ReadableStream ? takeBody(hop.body).pull : undefined;
    if (upload === undefined) outgoing.end();
    else void send(upload as Pull<Chunk>, outgoing, announcedBytes(hop.headers));
    const incoming = await answer(outgoing);
    return toResponse(incoming, outgoing, hop, signal);
  } catch (error) {
    outgoing.destroy();
    if (signal?.aborted === true) throw aborted(signal);
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Node.js frames the body of a method that commonly has none only if it is told to. */
function framing({ headers, body }: Hop): Readonly<Record<string, string>> {
  return body === null || headers.has("content-length") ? {} : { "transfer-encoding": "chunked" };
}

/** The reason of an abort, as an error: what a fetch rejects with. */
export function aborted(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new DOMException("The request was aborted.", "AbortError");
}

async function connected(outgoing: ClientRequest, connectMs: number): Promise<void> {
  outgoing.on("error", () => undefined); // each wait sees it; between them it must not end the process
  const cancel = systemClock.after(connectMs, () => {
    const message = `No connection stood within ${connectMs.toLocaleString("en")} ms.`;
    outgoing.destroy(new TailraceError("upstream_slow", message));
  });
  try {
    const [socket] = (await once(outgoing, "socket")) as [Socket & { readonly secureConnecting?: boolean }];
    // The request's own error is waited for too: it comes when it is destroyed, and tells why.
    if (socket.secureConnecting === true) await eitherOf(socket, "secureConnect", outgoing);
    else if (socket.connecting) await eitherOf(socket, "connect", outgoing);
  } catch (error) {
    throw new NotConnected("No connection could be made.", { cause: error });
  } finally {
    cancel();
  }
}

function eitherOf(socket: Socket, event: string, outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const stood = (): void => {
      outgoing.off("error", failed);
      resolve();
    };
    const failed = (error: Error): void => {
      socket.off(event, stood);
      reject(error);
    };
    socket.once(event, stood);
    outgoing.once("error", failed);
  });
}

function answer(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const isStale = outgoing.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(isStale ? new StaleConnection("The kept connection was closed.", { cause: error }) : error);
    };
    const onClose = (): void => reject(new Error("The connection closed before an answer came."));
    outgoing.once("error", onError);
    outgoing.once("close", onClose);
    outgoing.once("response", (incoming) => {
      outgoing.off("error", onError).off("close", onClose);
      resolve(incoming);
    });
    outgoing.once("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new Error("The upstream changed the protocol, which was not asked for."));
    });
  });
}

/** Sends a body, one piece per demand of the socket. One that is shorter than announced cuts the connection. */
async function send(body: Pull<Chunk>, outgoing: ClientRequest, announced: number | undefined): Promise<void> {
  let onWritable: (() => void) | undefined;
  const proceed = (): void => {
    onWritable?.();
    onWritable = undefined;
  };
  const leave = (): void => {
    body.close();
    proceed();
  };
  outgoing.on("drain", proceed);
  outgoing.once("close", leave);
  let left = announced ?? Infinity;
  try {
    for (;;) {
      const next = body.next();
      const result = isPromiseLike(next) ? await next : next;
      if (outgoing.destroyed) return;
      if (result.done === true) {
        if (announced !== undefined && left > 0) throw new Error(`The body ended ${left} bytes before its length.`);
        outgoing.end();
        return;
      }
      left -= result.value.byteLength;
      if (left < 0) throw new Error("The body is longer than it said.");
      const chunk = result.value;
      if (!outgoing.write(chunk, (error) => void (error ?? releaseChunk(chunk))))
        await new Promise<void>((resolve) => (onWritable = resolve));
    }
  } catch (error) {
    outgoing.destroy(error as Error);
  } finally {
    outgoing.off("drain", proceed);
    outgoing.off("close", leave);
    body.close();
  }
}

/**
 * Gives the memory of each read back as soon as the parser has taken its copy of it. Else every byte would wait for the garbage collector,
 * which comes once 64 MB of them lie about. The returned function stops it: on a connection that is used again, the parser comes last.
 */
function giveBackReads(socket: Socket): () => void {
  const giveBack = (read: Buffer<ArrayBuffer>): void => {
    if (socket.listenerCount("data") !== 2) return; // somebody beside the parser listens, who may keep it
    ownChunk(read);
    releaseChunk(read);
  };
  socket.on("data", giveBack);
  return () => void socket.off("data", giveBack);
}

function toResponse(
  incoming: IncomingMessage,
  outgoing: ClientRequest,
  hop: Hop,
  signal: AbortSignal | undefined,
): Response {
  const { statusCode: status = 0, rawHeaders } = incoming;
  if (status < 200 || status > 599) {
    throw new TailraceError(
      "upstream_failed",
      `The upstream answered with the status ${status}, which cannot be passed on.`,
    );
  }
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  }
  const init = { status, headers };
  let response: Response;
  if (hop.method === "HEAD" || NO_CONTENT.has(status)) {
    incoming.on("error", () => undefined);
    incoming.resume(); // to its end, so that the connection can be used again
    response = new Response(null, init);
  } else {
    const abort = (): void => body.fail(aborted(signal));
    const keep = giveBackReads(incoming.socket);
    const body: UpstreamBody = new UpstreamBody(incoming, () => {
      signal?.removeEventListener("abort", abort);
      keep();
      // An upload that still goes on has nobody to be for any more.
      if (!outgoing.writableFinished) outgoing.destroy();
    });
    signal?.addEventListener("abort", abort, { once: true });
    const stream = toReadableStream(body);
    offerPull(stream, body);
    response = new Response(stream, init);
  }
  Object.defineProperty(response, "url", { value: hop.url.href });
  markRaw(response);
  return response;
}
