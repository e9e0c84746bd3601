// srvx and its own static middleware.

import { serve } from "srvx";
import { staticMiddleware } from "srvx/static";
import { ROOT } from "./files-root.ts";

serve({
  fetch: () => new Response(null, { status: 404 }),
  middleware: [staticMiddleware({ dir: ROOT, compress: false })],
  hostname: "127.0.0.1",
  port: 0,
  silent: true,
  gracefulShutdown: false,
});
