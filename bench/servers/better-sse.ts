// better-sse on node:http: `push` per event, or its `batch` with 64 events each.

import { createServer } from "node:http";
import { createSession } from "better-sse";
import { asked, DISTINCT_COUNT, eventAt } from "./payload.ts";

const batched = process.argv[2] === "batch";

createServer((req, res) => {
  void createSession(req, res).then(async (session) => {
    const { count } = asked(req.url ?? "/");
    for (let i = 0; i < count;) {
      if (batched) {
        const end = Math.min(count, i + DISTINCT_COUNT);
        await session.batch((buffer) => {
          for (; i < end; i += 1) buffer.data(eventAt(i)).dispatch();
        });
      } else {
        // Ids of our own: its default is a random UUID per event, which costs more.
        session.push(eventAt(i), "message", String(i));
        i += 1;
      }
      // It does not wait for a slow reader; without this line the whole reply would pile up in memory.
      if (res.writableNeedDrain) await new Promise((resolve) => res.once("drain", resolve));
    }
    res.end();
  });
}).listen(0, "127.0.0.1");
