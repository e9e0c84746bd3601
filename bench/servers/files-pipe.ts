// What everybody writes first: stat, then `createReadStream(path).pipe(response)`.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { pathOf } from "./files-root.ts";

createServer((request, response) => {
  const path = pathOf(request.url ?? "/");
  void stat(path).then(({ size }) => {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": size });
    createReadStream(path).pipe(response);
  });
}).listen(0, "127.0.0.1");
