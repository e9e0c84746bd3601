// COPY ... TO STDOUT on the wire: the rows taken out of their messages where they lie, and the rest left to node-postgres.

import { TailraceError } from "../errors.ts";

/** The socket of a connection of node-postgres. */
interface Socket {
  listeners(event: "data"): unknown[];
  on(event: "data", listener: (data: Piece) => void): unknown;
  off(event: "data", listener: unknown): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** `pg.Connection`. */
interface Connection {
  readonly stream: Socket;
  query(text: string): void;
}

type Piece = Uint8Array<ArrayBuffer>;

/** Bytes that wait for the reader before the socket is paused: four reads of a socket. 262,144 bytes. */
export const COPY_AHEAD_BYTES = 262_144;

// PostgreSQL manual, "Message Formats": a type, then the length with itself, as an Int32.
const HEAD_BYTES = 5;
const COPY_DATA = 0x64; // d
const COPY_OUT_RESPONSE = 0x48; // H
const NOTICE_RESPONSE = 0x4e; // N
const NOTIFICATION_RESPONSE = 0x41; // A
const PARAMETER_STATUS = 0x53; // S

/**
 * A COPY as node-postgres runs it, which takes anything with a `submit`. One message per row costs a library an object per row; here the
 * payloads are moved together in the buffer that they came in, so that a read of the socket is one piece of the reply.
 */
export class CopyOut {
  readonly text: string;
  #connection: Connection | undefined;
  /** Where node-postgres listens, while this listens in its place. */
  #parser: ((data: Piece) => void) | undefined;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headBytes = 0;
  /** The same bytes of a head that is not whole, as they came. */
  #carried: Piece[] = [];
  /** Bytes of the present message that have not come yet. */
  #left = 0;
  #isData = false;

  #ready: Piece[] = [];
  #readyBytes = 0;
  #isPaused = false;
  #isDone = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Whether the server has sent all, and is ready for the next query or will be at once. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The next piece; undefined at the end. Rejects with what the server or the connection said. */
  async read(): Promise<Piece | undefined> {
    for (;;) {
      const piece = this.#ready.shift();
      if (piece !== undefined) {
        this.#readyBytes -= piece.byteLength;
        if (this.#isPaused && this.#readyBytes < COPY_AHEAD_BYTES) {
          this.#isPaused = false;
          this.#connection?.stream.resume();
        }
        return piece;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isDone) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Called by node-postgres when it is this query's turn. */
  submit(connection: Connection): Error | undefined {
    const { stream } = connection;
    const [parser, ...more] = stream.listeners("data");
    if (typeof parser !== "function" || more.length > 0) {
      return new TailraceError(
        "source_failed",
        "This is no connection of node-postgres that pgCopy knows: use pgRows.",
      );
    }
    this.#connection = connection;
    this.#parser = parser as (data: Piece) => void;
    stream.off("data", parser);
    stream.on("data", this.#take);
    connection.query(this.text);
    return undefined;
  }

  handleError(error: unknown): void {
    this.#failure ??= { error };
    this.#detach();
    this.#wakeUp();
  }

  handleCommandComplete(): void {
    this.#isDone = true;
  }

  handleReadyForQuery(): void {
    this.#isDone = true;
    this.#wakeUp();
  }

  // Of a query that is a COPY there are none of these.
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyData(): void {}

  readonly #take = (data: Piece): void => {
    const { byteLength } = data;
    let at = 0;
    /** What of `data` is payload is moved to its start. */
    let kept = 0;
    while (at < byteLength) {
      if (this.#left > 0) {
        const end = Math.min(at + this.#left, byteLength);
        if (this.#isData) {
          data.copyWithin(kept, at, end);
          kept += end - at;
        }
        this.#left -= end - at;
        at = end;
        continue;
      }
      const begin = at;
      while (this.#headBytes < HEAD_BYTES && at < byteLength) this.#head[this.#headBytes++] = data[at++] as number;
      if (this.#headBytes < HEAD_BYTES) {
        // Not a copy: node-postgres wants Buffers, and the rooms of this package do not know the class.
        this.#carried.push(data.subarray(begin));
        break;
      }
      const [type = 0, a = 0, b = 0, c = 0, d = 0] = this.#head;
      if (!isWithinCopy(type)) {
        this.#give(data.subarray(0, kept));
        this.#handOver([...this.#carried, data.subarray(begin)]);
        return;
      }
      this.#headBytes = 0;
      this.#carried = [];
      this.#isData = type === COPY_DATA;
      this.#left = ((a << 24) | (b << 16) | (c << 8) | d) - 4;
    }
    this.#give(data.subarray(0, kept));
  };

  #give(piece: Piece): void {
    if (piece.byteLength === 0) return;
    this.#ready.push(piece);
    this.#readyBytes += piece.byteLength;
    if (this.#readyBytes >= COPY_AHEAD_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.#connection?.stream.pause();
    }
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** The end of the copy, or an error: what node-postgres knows how to read. */
  #handOver(rest: readonly Piece[]): void {
    const parser = this.#parser;
    this.#detach();
    for (const data of rest) parser?.(data);
  }

  /** Gives the socket back to node-postgres. */
  #detach(): void {
    const { stream } = this.#connection ?? {};
    if (stream === undefined || this.#parser === undefined) return;
    stream.off("data", this.#take);
    stream.on("data", this.#parser);
    this.#parser = undefined;
    this.#isPaused = false;
    stream.resume();
  }
}

function isWithinCopy(type: number): boolean {
  switch (type) {
    case COPY_DATA:
    case COPY_OUT_RESPONSE:
    case NOTICE_RESPONSE:
    case NOTIFICATION_RESPONSE:
    case PARAMETER_STATUS:
      return true;
    default:
      return false;
  }
}
