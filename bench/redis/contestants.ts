// The contestants on one Redis, in one shape: each writes a stream of text under a name, and reads it from another process.

import { createResumableStreamContext as createAssistantContext } from "assistant-stream/resumable";
import { createIoredisResumableStreamStore } from "assistant-stream/resumable/ioredis";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { createResumableStreamContext } from "resumable-stream/ioredis";
import { createStreams, type Streams } from "tailrace";
import { redisStore } from "tailrace/redis";

export interface Contestant {
  /** Starts a run. Resolves once readers can find it. */
  start(name: string, source: ReadableStream<string>): Promise<void>;
  /** What the run writes, from its start. The pieces need not be those that were written. */
  read(name: string): AsyncIterable<string>;
}

export const OURS_IOREDIS = "ours: ioredis";
export const OURS_NODE_REDIS = "ours: node-redis";
export const PUBSUB = "resumable-stream";
export const POLLING = "assistant-stream";

/** On a machine that many share, a process may stand still for longer than the usual 5 seconds. */
const LEASE_MS = 30_000;

export const CONTESTANTS: Readonly<Record<string, (url: string) => Promise<Contestant>>> = {
  [OURS_IOREDIS]: async (url) =>
    ours(createStreams({ store: redisStore(new Redis(url, { maxRetriesPerRequest: null })), leaseMs: LEASE_MS })),
  [OURS_NODE_REDIS]: async (url) =>
    ours(createStreams({ store: redisStore(await createClient({ url }).connect()), leaseMs: LEASE_MS })),
  [PUBSUB]: async (url) => {
    const context = createResumableStreamContext({
      waitUntil: () => {},
      publisher: new Redis(url),
      subscriber: new Redis(url),
    });
    return {
      async start(name, source) {
        const own = await context.createNewResumableStream(name, () => source);
        // What the producing request itself would send; it is not part of what is measured, and must not be held back.
        await own?.cancel();
      },
      async *read(name) {
        const stream = await context.resumeExistingStream(name);
        if (!stream) throw new Error(`There is no run ${name}.`);
        yield* stream;
      },
    };
  },
  [POLLING]: async (url) => {
    const context = createAssistantContext({ store: createIoredisResumableStreamStore(new Redis(url)) });
    return {
      async start(name, source) {
        const own = await context.run(name, () => source.pipeThrough(new TextEncoderStream()));
        await own.cancel();
      },
      async *read(name) {
        const stream = await context.requireResume(name);
        const decoder = new TextDecoder();
        for await (const chunk of stream) yield decoder.decode(chunk, { stream: true });
      },
    };
  },
};

function ours(streams: Streams): Contestant {
  return {
    async start(name, source) {
      await streams.run(name, source);
    },
    read: (name) => streams.follow<string>(name),
  };
}
