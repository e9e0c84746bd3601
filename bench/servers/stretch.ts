// The stretch: what a web stream can do at best, 64 ready events joined by hand per enqueue, through srvx.

import { serve } from "srvx";
import { asked, BLOCKS, DISTINCT_COUNT } from "./payload.ts";

function body(count: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(Buffer.concat(BLOCKS.slice(0, count - sent)));
      sent += DISTINCT_COUNT;
      if (sent >= count) controller.close();
    },
  });
}

serve({
  hostname: "127.0.0.1",
  port: 0,
  silent: true,
  gracefulShutdown: false,
  fetch: (request) =>
    new Response(body(asked(request.url).count), { headers: { "content-type": "text/event-stream; charset=utf-8" } }),
});
