// The floor: node:http alone. Counts the bytes, or pipes them into a file. It looks for no boundary and makes no digest.

import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";
import { endOf } from "./uploads-ends.ts";

createServer((incoming, outgoing) => {
  const url = incoming.url ?? "";
  if (!url.includes("disk")) {
    let bytes = 0;
    incoming.on("data", (chunk: Buffer) => (bytes += chunk.length));
    incoming.on("end", () => outgoing.end(JSON.stringify({ bytes })));
    return;
  }
  const { stream, remove } = endOf(url);
  void pipeline(incoming, stream).then(() => {
    outgoing.end("{}");
    return remove();
  });
}).listen(0, "127.0.0.1");
