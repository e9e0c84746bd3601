// The floor: node:http alone, one `res.write` of one ready buffer per event, waiting for drain.

import { createServer, type ServerResponse } from "node:http";
import { asked, blockAt, BLOCKS, DISTINCT_COUNT, eventAt, nextTurn } from "./payload.ts";

const variant = process.argv[2];

function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    res.once("drain", resolve);
  });
}

async function perEvent(res: ServerResponse, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) if (!res.write(blockAt(i))) await drained(res);
}

async function perEventText(res: ServerResponse, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    if (!res.write(`data: ${JSON.stringify(eventAt(i))}\n\n`)) await drained(res);
  }
}

async function joined(res: ServerResponse, count: number): Promise<void> {
  for (let i = 0; i < count; i += DISTINCT_COUNT) {
    if (!res.write(Buffer.concat(BLOCKS.slice(0, count - i)))) await drained(res);
  }
}

async function joinedText(res: ServerResponse, count: number): Promise<void> {
  for (let i = 0; i < count;) {
    let text = "";
    for (const end = Math.min(count, i + DISTINCT_COUNT); i < end; i += 1) {
      text += `data: ${JSON.stringify(eventAt(i))}\n\n`;
    }
    if (!res.write(Buffer.from(text))) await drained(res);
  }
}

async function trickle(res: ServerResponse, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await nextTurn();
    if (!res.write(blockAt(i))) await drained(res);
  }
}

const ways: Readonly<Record<string, typeof perEvent>> = {
  buffer: perEvent,
  text: perEventText,
  joined,
  "joined-text": joinedText,
};

createServer((req, res) => {
  const wish = asked(req.url ?? "/");
  const send = wish.trickle ? trickle : ways[variant ?? "buffer"];
  res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache, no-transform" });
  void send?.(res, wish.count).then(() => res.end());
}).listen(0, "127.0.0.1");
