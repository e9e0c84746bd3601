// Ours through srvx.

import { serve } from "srvx";
import { reply } from "./ours-reply.ts";

serve({ fetch: reply, hostname: "127.0.0.1", port: 0, silent: true, gracefulShutdown: false });
