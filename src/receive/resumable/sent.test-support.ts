// Requests as the tests send them, with bodies that come when the test says so.

import type { ResumableOptions } from "./options.ts";
import { memoryUploads } from "./memory-uploads.ts";
import type { UploadStorage } from "./storage.ts";

export const ORIGIN = "http://files.test";
export const BASE = "/api/tus/";

export type Handle = (request: Request) => Promise<Response>;
export type SentHeaders = Readonly<Record<string, string>>;

/** A handler over memory, or over the storage that is given. */
export function handlerOf(
  protocol: (request: Request, options: ResumableOptions) => Promise<Response>,
  options: Partial<ResumableOptions> = {},
): { readonly handle: Handle; readonly storage: UploadStorage } {
  const storage = options.storage ?? memoryUploads();
  return {
    storage,
    handle: (request) => protocol(request, { basePath: BASE, onError: () => undefined, ...options, storage }),
  };
}

/** A request as a host makes it: with a length where the body has one. */
export function send(
  method: string,
  path: string,
  headers: SentHeaders = {},
  body?: string | ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): Request {
  const length = typeof body === "string" ? { "content-length": String(new TextEncoder().encode(body).length) } : {};
  return new Request(new URL(path, ORIGIN), {
    method,
    headers: { ...length, ...headers },
    duplex: "half",
    ...(body === undefined ? {} : { body: typeof body === "string" ? new TextEncoder().encode(body) : body }),
    ...(signal === undefined ? {} : { signal }),
  } as RequestInit);
}

/** A body whose chunks the test gives. */
export class HandBody {
  readonly stream: ReadableStream<Uint8Array>;
  isCancelled = false;
  #controller!: ReadableStreamDefaultController<Uint8Array>;

  constructor() {
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.isCancelled = true;
      },
    });
  }

  give(text: string): void {
    this.#controller.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.#controller.close();
  }

  breakOff(): void {
    this.#controller.error(new Error("ECONNRESET"));
  }
}

/** What is stored of an upload, as text. */
export async function storedText(storage: UploadStorage, id: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of storage.read(id)) text += decoder.decode(chunk, { stream: true });
  return text;
}

/** The id at the end of a response's `Location`. */
export function idIn(response: Response): string {
  return response.headers.get("location")?.split("/").at(-1) ?? "";
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
