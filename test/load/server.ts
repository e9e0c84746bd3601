// A server to be put under load: started by the tests in a process of its own, so that its memory is its own.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readdirSync } from "node:fs";
import { createStreams, memoryStore, sse } from "../../src/index.ts";
import { createListener } from "../../src/node.ts";
import { openReplies } from "../../src/reply/open-replies.ts";

const streams = createStreams({ store: memoryStore() });
let opened = 0;
let finished = 0;

/** Endless, and always ready: 1 kB an item. */
async function* fast(): AsyncGenerator<{ data: string }> {
  opened++;
  try {
    for (;;) yield { data: "x".repeat(1_000) };
  } finally {
    finished++;
  }
}

/** Silent but for a few items, each at its own time. */
async function* slow({ signal }: { signal: AbortSignal }): AsyncGenerator<{ data: number }> {
  opened++;
  try {
    for (let index = 0; !signal.aborted; index++) {
      yield { data: index };
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, 3 + (index % 7) * 5);
        signal.addEventListener("abort", done);
      });
    }
  } finally {
    finished++;
  }
}

/** What a leak would show in. Collected twice, since a finaliser may free more. */
function resources(): Record<string, unknown> {
  (globalThis as { gc?: () => void }).gc?.();
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const active = process.getActiveResourcesInfo();
  return {
    rss,
    heapUsed,
    arrayBuffers,
    opened,
    finished,
    openReplies: openReplies().size,
    channels: streams.counts.channels,
    timers: active.filter((kind) => kind === "Timeout" || kind === "Immediate").length,
    sockets: active.filter((kind) => kind === "TCPSocketWrap").length,
    descriptors: readdirSync("/proc/self/fd").length,
    signalListeners: process.listenerCount("SIGTERM"),
  };
}

const server = createServer(
  createListener((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/fast") return sse(request, fast);
    if (pathname === "/slow") return sse(request, slow);
    if (pathname === "/named") return sse(request, streams.follow("ticks"));
    if (pathname === "/resources") return Response.json(resources());
    return new Response(null, { status: 404 });
  }),
);

await streams.create("ticks", { maxItems: 1_000 });
setInterval(() => void streams.append("ticks", [Date.now()]), 20).unref();
server.listen(0, "127.0.0.1", () => process.send!((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit(0)); // the tests have gone
