// Requests and sinks for tests of receiving: bodies cut as wished, sinks that tell what became of their files.

import { TailraceError } from "../errors.ts";
import { memorySink, type MemorySink } from "./memory-sink.ts";
import type { Sink } from "./sink.ts";

type Body = Uint8Array | string | readonly (Uint8Array | string)[] | ReadableStream<Uint8Array>;

/** A POST with a streamed body, and no Content-Length unless `headers` name one. */
export function post(body: Body, headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Request {
  const stream = body instanceof ReadableStream ? body : streamOf(Array.isArray(body) ? body : [body as string]);
  const init = { method: "POST", headers, body: stream, duplex: "half", ...(signal === undefined ? {} : { signal }) };
  return new Request("http://localhost/upload", init);
}

function streamOf(chunks: readonly (Uint8Array | string)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      controller.close();
    },
  });
}

/** A body that the test feeds. */
export interface FedBody {
  readonly stream: ReadableStream<Uint8Array>;
  send(chunk: Uint8Array | string): void;
  end(): void;
  fail(error: unknown): void;
  /** Whether the reader has cancelled it. */
  isCancelled(): boolean;
}

export function fedBody(): FedBody {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      isCancelled = true;
    },
  });
  return {
    stream,
    send: (chunk) => controller?.enqueue(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk),
    end: () => controller?.close(),
    fail: (error) => controller?.error(error),
    isCancelled: () => isCancelled,
  };
}

/** A memory sink that counts its calls. */
export interface WatchedSink extends Sink {
  readonly memory: MemorySink;
  readonly counts: { opened: number; written: number; committed: number; aborted: number };
  /** What the next write waits for. */
  gate: Promise<void> | undefined;
  /** Makes the named call fail. */
  failAt: "open" | "write" | "end" | "commit" | "abort" | undefined;
}

export function watchedSink(): WatchedSink {
  const memory = memorySink();
  const counts = { opened: 0, written: 0, committed: 0, aborted: 0 };
  const failing = (at: WatchedSink["failAt"]): void => {
    if (sink.failAt === at) throw new TailraceError("store_unavailable", `The ${at} failed.`);
  };
  const sink: WatchedSink = {
    memory,
    counts,
    gate: undefined,
    failAt: undefined,
    async open(info) {
      failing("open");
      counts.opened++;
      const file = await memory.open(info);
      return {
        async write(chunk) {
          failing("write");
          await sink.gate;
          counts.written++;
          await file.write(chunk);
        },
        async end() {
          failing("end");
        },
        async commit(done) {
          failing("commit");
          counts.committed++;
          return file.commit(done);
        },
        async abort() {
          counts.aborted++;
          await file.abort();
          failing("abort");
        },
      };
    },
  };
  return sink;
}

/** The code of the error that `work` rejects with. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof TailraceError ? error.code : `not ours: ${String(error)}`;
  }
}
