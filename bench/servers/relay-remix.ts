// Remix's fetch-proxy on Hono's node server: srvx's own Request is not one that it takes.

import { serve } from "@hono/node-server";
import { createFetchProxy } from "@remix-run/fetch-proxy";

const [upstream = ""] = process.argv.slice(2);
const handler = createFetchProxy(upstream);
serve({ fetch: (request) => handler(request), hostname: "127.0.0.1", port: 0 });
