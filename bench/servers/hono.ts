// Hono's `streamSSE` on @hono/node-server, written as its manual shows.

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { asked, nextTurn, textAt } from "./payload.ts";

const app = new Hono();

app.get("*", (c) =>
  streamSSE(c, async (stream) => {
    const { count, trickle, objects } = asked(c.req.url);
    for (let i = 0; i < count; i += 1) {
      if (trickle) await nextTurn();
      await stream.writeSSE({ data: textAt(i, objects) });
    }
  }),
);

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
