// `sirv` on node:http, as its manual shows, with its memory of the folder (no stat per request).

import { createServer } from "node:http";
import sirv from "sirv";
import { ROOT } from "./files-root.ts";

createServer(sirv(ROOT)).listen(0, "127.0.0.1");
