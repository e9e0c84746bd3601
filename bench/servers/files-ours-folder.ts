// Ours, a whole folder, through `tailrace/node` on node:http: with the checks of the path.

import { createServer } from "node:http";
import { createListener, folder } from "tailrace/node";
import { ROOT } from "./files-root.ts";

createServer(createListener((request) => folder(request, ROOT, new URL(request.url).pathname.slice(1)))).listen(
  0,
  "127.0.0.1",
);
