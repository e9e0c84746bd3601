// What can only be said behind a body: how many rows it had, and its digest. Only a host that has trailers sends them.

/** What a host sends behind the body. */
export interface TrailerOptions {
  /**
   * Tell the count of rows (`tailrace-row-count`) and the body's SHA-256 (`repr-digest`, RFC 9530) in trailers: on `node:http`, to a reader
   * that says `TE: trailers`. Hosts without trailers send none.
   * @default false
   */
  readonly trailers?: boolean | undefined;
}

/** What a host is told of a reply's trailers. */
export interface Trailers {
  /** Asked when the body has ended; undefined where rows are not counted. */
  readonly rowCount: (() => number) | undefined;
}

/** The trailer that tells how many rows there were. */
export const ROW_COUNT_TRAILER = "tailrace-row-count";

const TRAILERS: unique symbol = Symbol.for("tailrace.reply.trailers.1");

/** Lets a host that can send trailers know of them. */
export function setTrailers(response: Response, trailers: Trailers): void {
  Object.defineProperty(response, TRAILERS, { value: trailers });
}

/** The trailers that a reply of ours asks for; undefined for any other. */
export function trailersOf(response: Response): Trailers | undefined {
  return (response as { [TRAILERS]?: Trailers })[TRAILERS];
}
