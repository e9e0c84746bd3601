// The upstream of the relay benchmark: a large body and a small one, out of memory.

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

const BLOCK = Buffer.alloc(262_144, "tailrace ");
const SMALL = Buffer.alloc(4_096, "tailrace ");

async function sendLarge(response: ServerResponse, bytes: number): Promise<void> {
  response.setHeader("content-length", bytes);
  for (let sent = 0; sent < bytes && !response.destroyed; sent += BLOCK.length) {
    if (!response.write(BLOCK)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end();
}

createServer((request, response) => {
  const [, large] = /^\/large-(\d+)$/.exec(request.url ?? "") ?? [];
  if (large !== undefined) void sendLarge(response, Number(large));
  else response.setHeader("content-length", SMALL.length).end(SMALL);
}).listen(0, "127.0.0.1");
