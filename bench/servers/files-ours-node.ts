// Ours through `tailrace/node` on node:http.

import { createServer } from "node:http";
import { createListener } from "tailrace/node";
import { reply } from "./files-ours.ts";

createServer(createListener(reply)).listen(0, "127.0.0.1");
