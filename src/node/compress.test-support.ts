// What the tests of compression ask with, and how they read what comes.

import zlib from "node:zlib";

export const LONG: string = "water over the wheel ".repeat(200);

export interface AskInit {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly signal?: AbortSignal;
}

export function ask(accept: string | undefined, init: AskInit = {}): Request {
  const headers = { ...init.headers, ...(accept === undefined ? {} : { "accept-encoding": accept }) };
  return new Request("http://127.0.0.1/", { ...init, headers });
}

export function plain(headers: Record<string, string> = {}, status = 200): Response {
  return new Response(LONG, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}

export const encodingOf: (response: Response) => string | null = (response) => response.headers.get("content-encoding");

export async function decoded(response: Response): Promise<string> {
  const bytes = Buffer.from(await response.arrayBuffer());
  switch (encodingOf(response)) {
    case "gzip":
      return zlib.gunzipSync(bytes).toString();
    case "br":
      return zlib.brotliDecompressSync(bytes).toString();
    case "zstd":
      return zlib.zstdDecompressSync(bytes).toString();
    default:
      return bytes.toString();
  }
}
