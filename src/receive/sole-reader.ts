// Whether the chunks of a request's body are nobody's but ours, on hosts that show the message behind the request.

/** What is asked of `http.IncomingMessage`. */
interface IncomingLike {
  readonly httpVersionMajor: number;
  listenerCount(event: "data" | "readable"): number;
}

/** As srvx documents it: `request.runtime.node.req`. */
interface HostedRequest {
  readonly runtime?: { readonly node?: { readonly req?: Partial<IncomingLike> | undefined } | undefined } | undefined;
}

/** The body of a request, which may not have been asked for before. */
export interface SoleBody {
  readonly body: ReadableStream<Uint8Array> | null;
  /** Whether a chunk that was just read is in nobody's hands but ours: it may be given back by `releaseChunk`. */
  readonly isSole: () => boolean;
}

const NEVER = (): boolean => false;

/**
 * Asks for the body of `request`. Srvx makes its stream of the message when it is asked for the first time: if nobody listened to the
 * message before and one does since, then the stream was made for us, and was never cloned. HTTP/1 makes a buffer of its own for each
 * piece of a body.
 */
export function bodyOf(request: Request): SoleBody {
  const incoming = (request as HostedRequest).runtime?.node?.req;
  if (incoming?.httpVersionMajor !== 1 || typeof incoming.listenerCount !== "function" || listeners(incoming) !== 0) {
    return { body: request.body, isSole: NEVER };
  }
  const { body } = request;
  // It listens to something else: as to a body that was read before, which somebody keeps.
  if (listeners(incoming) !== 1) return { body, isSole: NEVER };
  return { body, isSole: () => listeners(incoming) <= 1 };
}

function listeners(incoming: Partial<IncomingLike>): number {
  if (incoming.listenerCount === undefined) return Infinity;
  return incoming.listenerCount("data") + incoming.listenerCount("readable");
}
