// The careful hand-written route: one event per `pull`.

import { asked, textAt } from "../../../servers/payload.ts";

export function GET(request: Request): Response {
  const { count, objects } = asked(request.url);
  const encoder = new TextEncoder();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent === count) {
        controller.close();
        return;
      }
      controller.enqueue(encoder.encode(`data: ${textAt(sent, objects)}\n\n`));
      sent += 1;
    },
  });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" },
  });
}
