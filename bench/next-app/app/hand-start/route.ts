// The usual hand-written route: a loop in `start(controller)`.

import { asked, textAt } from "../../../servers/payload.ts";

export function GET(request: Request): Response {
  const { count, objects } = asked(request.url);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < count; i += 1) controller.enqueue(encoder.encode(`data: ${textAt(i, objects)}\n\n`));
      controller.close();
    },
  });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" },
  });
}
