// A server that stands in for uploads and downloads in the tests of client/: small, in memory, and it breaks where it
// is told to. No door reaches it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it came. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** A server on a port of its own. */
export interface StandIn {
  readonly url: string;
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

type Handle = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Begins to listen on 127.0.0.1. */
export async function standIn(handle: Handle): Promise<StandIn> {
  const seen: SeenRequest[] = [];
  const server: Server = createServer((request, response) => {
    seen.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers });
    request.on("error", () => undefined);
    void handle(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An answer instead of the usual one. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
}

/** Reads up to `limit` bytes of a body; more are dropped. Resolves when they are there, or the body has ended. */
function readUpTo(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (): void => resolve(Buffer.concat(chunks).subarray(0, limit));
    if (limit === 0) return end();
    request.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= limit) end();
    });
    request.on("end", end);
    request.on("close", end);
  });
}

/** What a tus server keeps of an upload. */
export interface StoredUpload {
  readonly length: number;
  readonly metadata: string;
  readonly concat: string | undefined;
  data: Buffer;
}

/** A tus server that can be told to break. */
export interface TusStandIn extends StandIn {
  /** The address that uploads are created at. */
  readonly endpoint: string;
  readonly uploads: Map<string, StoredUpload>;
  /** Called before each request; an answer takes the place of the usual one. */
  intercept: (request: SeenRequest, attempt: number) => Answer | undefined;
  /** After how many more bytes of bodies the connection is destroyed; each is used once. */
  readonly cuts: number[];
  /** Waits before a PATCH is answered. */
  gate: () => Promise<void>;
}

/** Begins a tus 1.0 server. */
export async function tusStandIn(): Promise<TusStandIn> {
  const uploads = new Map<string, StoredUpload>();
  const cuts: number[] = [];
  let count = 0;
  let requests = 0;
  const usual = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { "tus-resumable": "1.0.0", ...headers }).end();
    };
    const id = /^\/tus\/(.+)$/.exec(request.url ?? "")?.[1];
    const upload = id === undefined ? undefined : uploads.get(id);
    if (request.method === "POST") {
      const concat = request.headers["upload-concat"]?.toString();
      const parts = concat?.startsWith("final;") === true ? concat.slice(6).split(" ") : [];
      const data = parts.map((url) => uploads.get(new URL(url).pathname.slice(5))?.data);
      if (data.includes(undefined)) return send(404);
      count += 1;
      const joined = Buffer.concat(data as Buffer[]);
      uploads.set(`u${count}`, {
        length: parts.length > 0 ? joined.byteLength : Number(request.headers["upload-length"]),
        metadata: request.headers["upload-metadata"]?.toString() ?? "",
        concat,
        data: joined,
      });
      return send(201, { location: `/tus/u${count}` });
    }
    if (upload === undefined) return send(404);
    const offset = (): Readonly<Record<string, string>> => ({ "upload-offset": String(upload.data.byteLength) });
    if (request.method === "HEAD") return send(200, { ...offset(), "upload-length": String(upload.length) });
    if (request.method === "DELETE") {
      uploads.delete(id ?? "");
      return send(204);
    }
    if (Number(request.headers["upload-offset"]) !== upload.data.byteLength) return send(409);
    const size = Number(request.headers["content-length"]);
    const [cut] = cuts;
    const isCut = cut !== undefined && cut <= size;
    if (isCut) cuts.shift();
    else if (cut !== undefined) cuts[0] = cut - size;
    const taken = await readUpTo(request, isCut ? cut : Infinity);
    upload.data = Buffer.concat([upload.data, taken]);
    if (isCut) return void request.socket.destroy();
    await server.gate();
    send(204, offset());
  };
  const handle: Handle = async (request, response) => {
    requests += 1;
    const answer = server.intercept(server.seen.at(-1) as SeenRequest, requests);
    if (answer === undefined) return await usual(request, response);
    request.resume();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  const base = await standIn((request, response) => handle(request, response));
  const server: TusStandIn = {
    ...base,
    endpoint: `${base.url}/tus/`,
    uploads,
    cuts,
    intercept: () => undefined,
    gate: async () => undefined,
  };
  return server;
}

/** How a file is served. */
export interface ServedFile {
  bytes: Buffer;
  etag: string | undefined;
  lastModified: string | undefined;
  /** Further headers of a 200 or 206. */
  headers: Readonly<Record<string, string>>;
  /** Whether ranges are answered. */
  ranges: boolean;
  /** Whether a length is told at all. */
  tellsLength: boolean;
  /** The most bytes of a 206. */
  maxRangeBytes: number;
}

/** A file server that can be told to break. */
export interface FileStandIn extends StandIn {
  readonly file: ServedFile;
  readonly fileUrl: string;
  intercept: (request: SeenRequest, attempt: number) => Answer | undefined;
  /** After how many bytes of a body the connection is destroyed; each is used for one response. */
  readonly cuts: number[];
  /** Called after a cut, before the next request. */
  onCut: () => void;
}

/** Begins a file server with `bytes`, a strong ETag and ranges. */
export async function fileStandIn(bytes: Buffer): Promise<FileStandIn> {
  const file: ServedFile = {
    bytes,
    etag: '"v1"',
    lastModified: undefined,
    headers: {},
    ranges: true,
    tellsLength: true,
    maxRangeBytes: Infinity,
  };
  const cuts: number[] = [];
  let requests = 0;
  const validators = (): Record<string, string> => ({
    ...(file.etag === undefined ? {} : { etag: file.etag }),
    ...(file.lastModified === undefined ? {} : { "last-modified": file.lastModified }),
    ...file.headers,
  });
  const rangeOf = (request: IncomingMessage): number | undefined => {
    const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    if (start === undefined || !file.ranges) return undefined;
    const condition = request.headers["if-range"];
    const holds = condition === undefined || condition === file.etag || condition === file.lastModified;
    return holds ? Number(start) : undefined;
  };
  const base = await standIn((request, response) => {
    requests += 1;
    const answer = server.intercept(server.seen.at(-1) as SeenRequest, requests);
    if (answer !== undefined) return void response.writeHead(answer.status, answer.headers).end(answer.body);
    const unmodified = request.headers["if-unmodified-since"];
    if (unmodified !== undefined && unmodified !== file.lastModified) return void response.writeHead(412).end();
    const start = rangeOf(request);
    const size = file.bytes.byteLength;
    if (start !== undefined && start >= size) {
      return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    }
    const body = file.bytes.subarray(start ?? 0, start === undefined ? size : start + file.maxRangeBytes);
    const length = file.tellsLength ? { "content-length": String(body.byteLength) } : {};
    if (start === undefined) response.writeHead(200, { ...length, ...validators() });
    else {
      const range = `bytes ${start}-${start + body.byteLength - 1}/${size}`;
      response.writeHead(206, { ...length, "content-range": range, ...validators() });
    }
    const cut = cuts.shift();
    if (cut === undefined || cut > body.byteLength) return void response.end(body);
    response.flushHeaders();
    response.write(body.subarray(0, cut), () => {
      server.onCut();
      request.socket.destroy();
    });
  });
  const server: FileStandIn = {
    ...base,
    file,
    fileUrl: `${base.url}/files/report.bin`,
    cuts,
    intercept: () => undefined,
    onCut: () => undefined,
  };
  return server;
}

/** Bytes that differ from each other, so that a mix-up shows. */
export function patternBytes(count: number, seed: number = 1): Buffer {
  const bytes = Buffer.alloc(count);
  let state = seed;
  for (let index = 0; index < count; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

/** Waits until `holds` of what `subscribe` tells changes of. */
export function until(watched: { subscribe(listener: () => void): () => void }, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (holds()) return resolve();
    const unsubscribe = watched.subscribe(() => {
      if (!holds()) return;
      unsubscribe();
      resolve();
    });
  });
}

/** How many timers of this process are pending. */
export function pendingTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

/** Waits, without a timer of its own, until no more than `count` are pending. Gives how many are. */
export async function timersDownTo(count: number): Promise<number> {
  for (let turn = 0; turn < 1_000 && pendingTimers() > count; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  return pendingTimers();
}
