// A request by XMLHttpRequest, for the one thing that fetch cannot tell: how much of the body has left.

import type { TransferOptions } from "./transfer-types.ts";

/** What is sent. */
export interface XhrRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Blob;
  readonly credentials: RequestCredentials;
}

/** Whether XMLHttpRequest is here and can do what the options ask for: it cannot leave cookies out. */
export function canUseXhr({ fetch, credentials }: TransferOptions): boolean {
  return typeof XMLHttpRequest === "function" && fetch === undefined && credentials !== "omit";
}

function responseOf(xhr: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of xhr.getAllResponseHeaders().split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  // Fetch, section "statuses": these have a null body, and the constructor refuses any other.
  const isNull = xhr.status === 204 || xhr.status === 205 || xhr.status === 304;
  return new Response(isNull ? null : xhr.responseText, { status: xhr.status, statusText: xhr.statusText, headers });
}

/** Sends, and tells of each part of the body that was given to the network. Rejects when the network fails. */
export function fetchByXhr(
  request: XhrRequest,
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = (): void => {
      release();
      xhr.abort();
      reject(signal.reason as Error);
    };
    const release = (): void => {
      signal.removeEventListener("abort", abort);
      xhr.upload.onprogress = null;
      xhr.onload = xhr.onerror = xhr.onabort = xhr.ontimeout = null;
    };
    const fail = (): void => {
      release();
      reject(new TypeError("The request failed in the network."));
    };
    xhr.upload.onprogress = (event) => onSent(Math.min(event.loaded, request.body.size));
    xhr.onerror = xhr.onabort = xhr.ontimeout = fail;
    xhr.onload = () => {
      release();
      try {
        resolve(responseOf(xhr));
      } catch (error) {
        reject(error);
      }
    };
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      xhr.open(request.method, request.url);
      xhr.withCredentials = request.credentials === "include";
      for (const [name, value] of request.headers) xhr.setRequestHeader(name, value);
      xhr.send(request.body);
    } catch (error) {
      release();
      reject(error);
    }
  });
}
