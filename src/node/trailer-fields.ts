// The trailers of a reply on node:http: announced in the head, made up while the body goes by, sent behind it.

import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ROW_COUNT_TRAILER, trailersOf } from "../reply/trailers.ts";

/** Trailers under way. */
export interface TrailerFields {
  /** Takes each chunk of the body, in order. */
  update(chunk: Uint8Array): void;
  /** Hands the fields to `outgoing`, which is to be ended next. */
  add(): void;
}

const DIGEST = "repr-digest";

/**
 * Announces the trailers that `response` asks for (RFC 9110 section 6.6.2); undefined if there are none, or nobody would read them. They
 * are sent only to a reader that says `TE: trailers`: RFC 9110 section 6.5.1 makes that the sign that trailers are taken, by
 * it and by whoever it passes them on to, and hashing for the others would be wasted. HTTP/1.0 has no chunks to put them behind.
 */
export function openTrailers(response: Response, outgoing: ServerResponse): TrailerFields | undefined {
  const trailers = trailersOf(response);
  const { req: incoming } = outgoing;
  if (trailers === undefined || incoming.method === "HEAD" || !takesTrailers(incoming)) return undefined;
  const { rowCount } = trailers;
  const hash = createHash("sha256");
  outgoing.setHeader("trailer", rowCount === undefined ? DIGEST : `${DIGEST}, ${ROW_COUNT_TRAILER}`);
  return {
    update: (chunk) => void hash.update(chunk),
    add() {
      // RFC 9530 section 3: of the whole representation, which is what was sent; no reply with trailers has a range or a coding.
      const fields: Record<string, string> = { [DIGEST]: `sha-256=:${hash.digest("base64")}:` };
      if (rowCount !== undefined) fields[ROW_COUNT_TRAILER] = String(rowCount());
      outgoing.addTrailers(fields);
    },
  };
}

/** RFC 9110 section 10.1.4: `TE` is a list, and `trailers` has no weight. */
function takesTrailers({ headers, httpVersionMajor, httpVersionMinor }: IncomingMessage): boolean {
  if (httpVersionMajor === 1 && httpVersionMinor === 0) return false;
  const { te = "" } = headers;
  return String(te)
    .split(",")
    .some((word) => word.trim().toLowerCase() === "trailers");
}
