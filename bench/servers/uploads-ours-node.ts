// Ours through `tailrace/node` on node:http.

import { createServer } from "node:http";
import { createListener } from "tailrace/node";
import { upload } from "./uploads-ours.ts";

createServer(createListener(upload)).listen(0, "127.0.0.1");
