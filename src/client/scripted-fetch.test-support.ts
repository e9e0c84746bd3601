// A fetch that answers by a script, for the tests of this room and of the hooks. No door reaches it.

import type { Fetch } from "./stream-types.ts";

/** One request as it was made. */
export interface ScriptedCall {
  readonly url: string;
  readonly method: string;
  readonly cursor: string | null;
  readonly headers: Headers;
  readonly body: unknown;
  readonly signal: AbortSignal | undefined;
}

/** A fetch that answers each call by `answer`, and keeps the calls. */
export function scriptedFetch(answer: (call: ScriptedCall, attempt: number) => Response | Promise<Response>): {
  readonly fetch: Fetch;
  readonly calls: ScriptedCall[];
} {
  const calls: ScriptedCall[] = [];
  const fetch: Fetch = async (url, init) => {
    const headers = new Headers(init.headers);
    const method = init.method ?? "GET";
    const cursor = headers.get("last-event-id");
    const call = { url: String(url), method, cursor, headers, body: init.body, signal: init.signal ?? undefined };
    calls.push(call);
    return answer(call, calls.length);
  };
  return { fetch, calls };
}

/** The bytes of a text. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A 200 with the type of server-sent events. */
export function sseResponse(body: ReadableStream<Uint8Array<ArrayBuffer>> | string | null): Response {
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** A body that gives `parts` on demand, then stays open, breaks, or closes. */
export function bodyOf(
  parts: readonly string[],
  then: "open" | "break" | "close",
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const queue = [...parts];
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const part = queue.shift();
        if (part !== undefined) controller.enqueue(toBytes(part));
        else if (then === "close") controller.close();
        else if (then === "break") controller.error(new TypeError("terminated"));
      },
    },
    { highWaterMark: 0 },
  );
}

/** A body that a test writes to by hand, and that tells when it was cancelled. */
export interface HandBody {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  write(text: string): void;
  close(): void;
  /** Ends as a cut connection does. */
  cut(): void;
  readonly cancelled: boolean;
}

/** Makes a {@link HandBody}. */
export function handBody(): HandBody {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(own) {
      controller = own;
    },
    cancel() {
      cancelled = true;
    },
  });
  return {
    stream,
    write: (text) => controller?.enqueue(toBytes(text)),
    close: () => controller?.close(),
    cut: () => controller?.error(new TypeError("terminated")),
    get cancelled() {
      return cancelled;
    },
  };
}
