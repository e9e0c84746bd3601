// A million rows of 240 bytes and more, ours and by hand: `rows.ts ours`, or `rows.ts hand` for one enqueue per row.

import { createServer } from "node:http";
import { serve } from "srvx";
import { ndjson } from "tailrace";
import { createListener } from "tailrace/node";
import { asked, DISTINCT_COUNT, EVENTS } from "./payload.ts";

// Longer than the blocks of the events: the reader takes a reply that has fewer bytes for a wrong one.
const ROWS: readonly object[] = EVENTS.map((event) => ({ ...event, note: "a row and not an event" }));

function* rows(count: number): Generator {
  for (let i = 0; i < count; i += 1) yield ROWS[i % DISTINCT_COUNT];
}

const encoder = new TextEncoder();

function byHand(count: number): ReadableStream<Uint8Array> {
  const source = rows(count);
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = source.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
  });
}

if (process.argv[2] === "ours") {
  createServer(createListener((request) => ndjson(request, rows(asked(request.url).count)))).listen(0, "127.0.0.1");
} else {
  serve({
    hostname: "127.0.0.1",
    port: 0,
    silent: true,
    gracefulShutdown: false,
    fetch: (request) =>
      new Response(byHand(asked(request.url).count), { headers: { "content-type": "application/x-ndjson" } }),
  });
}
