// HTTP/1.1 by hand, on both sides of a relay: what is sent is what stands in the case, and what comes is looked at byte by byte.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";

/** A request or a response, as far as it came. */
export interface Message {
  readonly startLine: string;
  /** By lower-case name; several lines of one name as several entries. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  /** Whether all came that the head announces. */
  readonly isWhole: boolean;
}

/** Reads one message, or gives undefined if there is not even a head. */
export function parseMessage(bytes: Buffer, kind: "request" | "response" | "head response"): Message | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [startLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const rest = bytes.subarray(headEnd + 4);
  const status = kind === "request" ? 0 : Number(startLine.split(" ")[1]);
  // An interim response is followed by another one.
  if (status >= 100 && status < 200) return parseMessage(rest, kind);
  const empty = kind === "head response" || status === 204 || status === 304;
  if (empty) return { startLine, headers, body: rest, isWhole: rest.length === 0 };
  if (headers.get("transfer-encoding")?.[0] === "chunked") return { startLine, headers, ...dechunk(rest) };
  const length = headers.get("content-length")?.[0];
  if (length !== undefined) return { startLine, headers, body: rest, isWhole: rest.length === Number(length) };
  return { startLine, headers, body: rest, isWhole: true };
}

function dechunk(bytes: Buffer): { readonly body: Buffer; readonly isWhole: boolean } {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, Math.max(at, lineEnd)), 16);
    if (lineEnd < 0 || Number.isNaN(size)) return { body: Buffer.concat(chunks), isWhole: false };
    if (size === 0) return { body: Buffer.concat(chunks), isWhole: bytes.indexOf("\r\n\r\n", lineEnd) >= 0 };
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
}

/** The body without its codings, as a client would take it. Throws if it is not what the header says. */
export function contentOf({ headers, body }: Message): string {
  let content = body;
  const codings = (headers.get("content-encoding") ?? []).join(",").split(",");
  for (const coding of codings.toReversed()) {
    const name = coding.trim().toLowerCase();
    if (name === "gzip" || name === "x-gzip") content = gunzipSync(content);
    else if (name === "br") content = brotliDecompressSync(content);
    else if (name === "deflate") content = inflateSync(content);
    else if (name === "zstd") content = zstdDecompressSync(content);
  }
  return content.toString("latin1");
}

/** A connection whose bytes are kept. */
export class Peer {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  readonly closed: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.#bytes = Buffer.concat([this.#bytes, chunk])));
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Waits until `test` holds of what came, or the connection has closed. */
  async until(test: (bytes: Buffer) => boolean): Promise<void> {
    while (!test(this.#bytes) && !this.socket.destroyed && !this.socket.readableEnded) {
      await Promise.race([once(this.socket, "data").catch(() => undefined), this.closed, once(this.socket, "end")]);
    }
  }

  async untilText(text: string): Promise<void> {
    await this.until((bytes) => bytes.includes(text));
  }

  /** Waits for a whole request, body included. */
  async request(): Promise<Message | undefined> {
    await this.until((bytes) => {
      const message = parseMessage(bytes, "request");
      if (message === undefined) return false;
      const hasLength = message.headers.has("content-length") || message.headers.has("transfer-encoding");
      return !hasLength || message.isWhole;
    });
    return parseMessage(this.#bytes, "request");
  }

  write(text: string | Buffer): void {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
  }

  /** Ends the connection without the reset that would throw away what is on its way. */
  end(text: string | Buffer = ""): void {
    this.socket.end(typeof text === "string" ? Buffer.from(text, "latin1") : text);
  }
}

/** What an upstream does with one connection. */
export type Script = (peer: Peer) => void | Promise<void>;

/** A server that plays a script for each connection. */
export interface ScriptedUpstream {
  readonly origin: string;
  /** Played for every connection from now on. */
  play(script: Script): void;
  /** The connections since `play`. */
  readonly peers: readonly Peer[];
  close(): Promise<void>;
}

export async function startUpstream(): Promise<ScriptedUpstream> {
  let script: Script = (peer) => void peer.socket.destroy();
  let peers: Peer[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new Peer(socket);
    peers.push(peer);
    socket.once("end", () => socket.end());
    void script(peer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    play(next) {
      for (const { socket } of peers) socket.destroy();
      peers = [];
      script = next;
    },
    get peers() {
      return peers;
    },
    async close() {
      for (const { socket } of peers) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A connection to the relay. */
export async function dial(port: number): Promise<Peer> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return new Peer(socket);
}

/** A message by its lines; the body as it goes over the wire. */
export function wire(startLine: string, headers: readonly string[], body: string | Buffer = ""): Buffer {
  const head = [startLine, ...headers, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head, "latin1"), typeof body === "string" ? Buffer.from(body, "latin1") : body]);
}

/** `pieces` in chunked coding. */
export function chunked(...pieces: readonly (string | Buffer)[]): Buffer {
  const parts = pieces.flatMap((piece) => [`${piece.length.toString(16)}\r\n`, piece, "\r\n"]);
  return Buffer.concat(
    [...parts, "0\r\n\r\n"].map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)),
  );
}
