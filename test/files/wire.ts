// A raw HTTP/1.1 exchange: what is sent is what stands here, and what comes back is looked at byte by byte.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { createListener, type Handler } from "../../src/node/listener.ts";

/** A response as it came. */
export interface WireResponse {
  readonly status: number;
  /** By lower-case name; several lines of one name joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** What came behind the head until the server closed: all of it, so that a byte too many shows. */
  readonly body: Buffer;
  /** Whether the body has the length that was announced. */
  readonly isWhole: boolean;
}

/** A server on a free port. */
export interface WireServer {
  readonly port: number;
  readonly server: Server;
  close(): Promise<void>;
}

export async function startWireServer(handler: Handler): Promise<WireServer> {
  const server = createServer(createListener(handler));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    server,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends one request on a connection of its own and reads until the server closes it. */
export async function exchange(
  port: number,
  method: string,
  path: string,
  headers: readonly (readonly [string, string])[] = [],
): Promise<WireResponse> {
  const socket = connect(port, "127.0.0.1");
  const lines = [["host", "x"], ["connection", "close"], ...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket) chunks.push(chunk as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
  }
  return parse(Buffer.concat(chunks), method === "HEAD");
}

function parse(bytes: Buffer, isHead: boolean): WireResponse {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) throw new Error(`No head came: ${JSON.stringify(bytes.toString("latin1").slice(0, 200))}`);
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const before = headers.get(name);
    const value = line.slice(colon + 1).trim();
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const rest = bytes.subarray(headEnd + 4);
  const isChunked = headers.get("transfer-encoding") === "chunked" && !isHead;
  const body = isChunked ? dechunk(rest) : rest;
  const length = headers.get("content-length");
  return {
    status: Number(statusLine.split(" ")[1]),
    headers,
    body,
    isWhole: isChunked || isHead || (length === undefined ? body.length === 0 : body.length === Number(length)),
  };
}

/** The content of a chunked body; throws if its last chunk is missing. */
function dechunk(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size)) throw new Error("The chunked body was cut.");
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
}

/** One part of a multipart/byteranges body. */
export interface WirePart {
  readonly type: string;
  readonly range: string;
  readonly bytes: Buffer;
}

/** Reads multipart/byteranges by its grammar (RFC 2046 section 5.1.1), by hand: nothing of what wrote it is used. */
export function readParts({ headers, body }: WireResponse): readonly WirePart[] {
  const [, boundary] =
    /^multipart\/byteranges; boundary=([\w'()+,./:=?-]{1,70})$/.exec(headers.get("content-type") ?? "") ?? [];
  if (boundary === undefined) throw new Error(`No multipart: ${headers.get("content-type")}`);
  const parts: WirePart[] = [];
  let at = 0;
  expectAt(body, at, `--${boundary}`);
  at += boundary.length + 2;
  for (;;) {
    if (body.toString("latin1", at, at + 2) === "--") {
      expectAt(body, at, "--\r\n");
      if (at + 4 !== body.length) throw new Error("Something stands behind the last boundary.");
      return parts;
    }
    expectAt(body, at, "\r\n");
    const headEnd = body.indexOf("\r\n\r\n", at);
    const head = body.toString("latin1", at + 2, headEnd);
    const [, type = ""] = /^content-type: (.*)$/im.exec(head) ?? [];
    const [, range = ""] = /^content-range: (.*)$/im.exec(head) ?? [];
    const next = body.indexOf(`\r\n--${boundary}`, headEnd + 4);
    if (headEnd < 0 || next < 0) throw new Error("A part does not end.");
    parts.push({ type: type.trim(), range: range.trim(), bytes: body.subarray(headEnd + 4, next) });
    at = next + boundary.length + 4;
  }
}

function expectAt(body: Buffer, at: number, text: string): void {
  const found = body.toString("latin1", at, at + text.length);
  if (found !== text) throw new Error(`${JSON.stringify(found)} stands where ${JSON.stringify(text)} should.`);
}

/** How many descriptors this process has open. */
export async function descriptorCount(): Promise<number> {
  const { readdir } = await import("node:fs/promises");
  return (await readdir("/proc/self/fd")).length;
}
