// Hono's proxy helper on its node server.

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { proxy } from "hono/proxy";

const [upstream = ""] = process.argv.slice(2);
const app = new Hono();
app.all("*", (c) => proxy(upstream + c.req.path, { raw: c.req.raw }));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
