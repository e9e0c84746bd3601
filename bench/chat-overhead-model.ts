// The model of the chat benchmark: tokens at a fixed rate, each with the time at which it was written, and how long it was made to wait.
// CLOCK_MONOTONIC, which is what `process.hrtime` reads, is one clock for all processes of a machine.

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

const TICK_MS = 1;

/** What the last answer cost its model. */
let report = { waitedMs: 0, waits: 0, tookMs: 0, scheduledMs: 0 };

async function answer(response: ServerResponse, count: number, perSecond: number): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const write = (choice: object): boolean => {
    const chunk = { id: "1", object: "chat.completion.chunk", choices: [{ index: 0, ...choice }] };
    return response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  const from = performance.now();
  let waitedMs = 0;
  let waits = 0;
  for (let sent = 0; sent < count && !response.destroyed;) {
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    const due = Math.min(count, Math.floor(((performance.now() - from) / 1_000) * perSecond));
    let hasRoom = true;
    for (; sent < due; sent++) hasRoom = write({ delta: { content: `${process.hrtime.bigint()} ` } });
    if (hasRoom) continue;
    const before = performance.now();
    await Promise.race([once(response, "drain"), once(response, "close")]);
    waitedMs += performance.now() - before;
    waits += 1;
  }
  report = { waitedMs, waits, tookMs: performance.now() - from, scheduledMs: (count / perSecond) * 1_000 };
  write({ delta: {}, finish_reason: "stop" });
  response.end("data: [DONE]\n\n");
}

createServer((request, response) => {
  const [, count, rate] = /^\/(\d+)\/(\d+)$/.exec(request.url ?? "") ?? [];
  if (count === undefined) response.end(JSON.stringify(report));
  else void answer(response, Number(count), Number(rate));
}).listen(0, "127.0.0.1");
