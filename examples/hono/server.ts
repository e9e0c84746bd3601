// A job that survives its readers, on Hono: POST starts it or joins it, GET follows it, DELETE stops it.

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createStreams, shutdown, sse } from "tailrace";
import { sqliteStore } from "tailrace/sqlite";

const streams = createStreams({ store: sqliteStore(`${process.env["DATA_DIR"] ?? "data"}/example.db`) });

async function* work(): AsyncGenerator<{ done: number }> {
  for (let done = 0; done <= 100; done += 10) {
    yield { done };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const app = new Hono();
app.post("/jobs/:id{\\w+}", async (c) => sse(c.req.raw, await streams.run(`jobs/${c.req.param("id")}`, work)));
app.get("/jobs/:id{\\w+}", (c) => sse(c.req.raw, streams.follow(`jobs/${c.req.param("id")}`)));
app.delete("/jobs/:id{\\w+}", async (c) => c.json(await streams.stop(`jobs/${c.req.param("id")}`)));

const port = Number(process.env["PORT"] ?? 3000);
const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, (address) => {
  console.log(`http://127.0.0.1:${address.port}`);
});

process.once("SIGTERM", () => {
  server.close();
  void shutdown({ streams: [streams] });
});
