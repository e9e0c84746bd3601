// h3's event stream: `push` per event, or arrays of 64 messages joined by hand.

import { createEventStream, H3, serve } from "h3";
import { asked, DISTINCT_COUNT, textAt } from "./payload.ts";

const batched = process.argv[2] === "batch";
const app = new H3();

app.get("/events", (event) => {
  const { count, objects } = asked(event.req.url);
  const stream = createEventStream(event);
  void (async () => {
    for (let i = 0; i < count;) {
      if (batched) {
        const messages: { data: string }[] = [];
        const end = Math.min(count, i + DISTINCT_COUNT);
        for (; i < end; i += 1) messages.push({ data: textAt(i, objects) });
        await stream.push(messages);
      } else {
        await stream.push({ data: textAt(i, objects) });
        i += 1;
      }
    }
    await stream.close();
  })();
  return stream;
});

serve(app, { hostname: "127.0.0.1", port: 0, silent: true, gracefulShutdown: false });
