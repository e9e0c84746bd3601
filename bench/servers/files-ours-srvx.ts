// Ours through srvx, as a web Response.

import { serve } from "srvx";
import { reply } from "./files-ours.ts";

serve({ fetch: reply, hostname: "127.0.0.1", port: 0, silent: true, gracefulShutdown: false });
