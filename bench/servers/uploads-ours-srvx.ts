// Ours through srvx.

import { serve } from "srvx";
import { upload } from "./uploads-ours.ts";

serve({ fetch: upload, hostname: "127.0.0.1", port: 0, silent: true, gracefulShutdown: false });
