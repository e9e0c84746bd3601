// Requests for tests of transforms, with bodies cut and fed as wished, and what is left of their listeners.

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const upper = (text: string): string => text.toUpperCase();
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export type Part = Uint8Array | string;

/** A POST whose body comes in `parts`. */
export function post(
  parts: readonly Part[],
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Request {
  const chunks = parts.map((part) => (typeof part === "string" ? encode(part) : part));
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return streamed(stream, headers, signal);
}

export function streamed(
  body: ReadableStream<Uint8Array>,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Request {
  const init = { method: "POST", body, duplex: "half", headers, ...(signal === undefined ? {} : { signal }) };
  return new Request("http://localhost/", init);
}

/** A body that the test feeds. */
export interface FedBody {
  readonly stream: ReadableStream<Uint8Array>;
  send(part: Part): void;
  fail(): void;
  /** How often the reader has cancelled it. */
  cancelled(): number;
}

export function fed(): FedBody {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = 0;
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => void cancelled++,
  });
  return {
    stream,
    send: (part) => controller?.enqueue(typeof part === "string" ? encode(part) : part),
    fail: () => controller?.error(new Error("gone")),
    cancelled: () => cancelled,
  };
}

/** Counts the listeners that are left on a signal. */
export function counted(signal: AbortSignal): { readonly left: number } {
  const counts = { left: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const active = new Set<unknown>();
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    active.add(args[1]);
    counts.left = active.size;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    active.delete(args[1]);
    counts.left = active.size;
    remove(...args);
  };
  return counts;
}

/** The status and the code of a problem, as in "413 limit_exceeded"; what is wrong with it if it is none. */
export async function problemOf(response: Response): Promise<string> {
  const type = response.headers.get("content-type");
  if (type !== "application/problem+json") return `${response.status} ${type}`;
  const { status, code } = (await response.json()) as { readonly status: number; readonly code?: string };
  return status === response.status ? `${status} ${code}` : `${response.status}, and ${status} in the body`;
}
