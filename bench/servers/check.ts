// Proves that a reply carries all events and the right ones, so that no row is fast because it sends less.

import { DISTINCT_COUNT, JSONS } from "./payload.ts";

// Written for the checks of this benchmark only: every server here sends chunked bodies and LF line ends.
function dechunk(body: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, lineEnd), 16);
    if (!(size > 0)) return Buffer.concat(parts).toString("utf8");
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

/** The first thing wrong with `reply` (head and chunked body), or undefined when it holds `count` right events. */
export function checkReply(reply: Buffer, count: number): string | undefined {
  const headEnd = reply.indexOf("\r\n\r\n");
  const head = reply.toString("latin1", 0, headEnd);
  if (!head.startsWith("HTTP/1.1 200 ")) return `the reply is "${head.split("\r\n")[0]}"`;
  if (!/^content-type: text\/event-stream/im.test(head)) return "the reply is not text/event-stream";

  let seen = 0;
  for (const block of dechunk(reply.subarray(headEnd + 4)).split("\n\n")) {
    const lines = block.split("\n");
    // Comments, `retry:` blocks and the block that says "this is the end" are no items.
    if (lines.includes("event: end")) continue;
    // The space behind the colon is optional, and not all servers write it.
    const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.replace(/^data: ?/, ""));
    if (data.length === 0) continue;
    if (data.join("\n") !== JSONS[seen % DISTINCT_COUNT]) return `event ${seen} has the data ${data.join("\n")}`;
    seen += 1;
  }
  return seen === count ? undefined : `${seen} events arrived instead of ${count}`;
}
