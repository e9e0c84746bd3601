// Plays one case of the table against a relay that listens on a port.

import { dial, parseMessage, type ScriptedUpstream, wire } from "./raw-http.ts";
import type { Outcome, RelayCase } from "./relay-checks.ts";

/** How long a case may take before its connection is closed, in milliseconds. */
const LIMIT_MS = 60_000;

export async function play(each: RelayCase, port: number, upstream: ScriptedUpstream): Promise<Outcome> {
  upstream.play(each.upstream);
  const client = await dial(port);
  const { method = "GET", path = "/", headers = [], body = Buffer.alloc(0) } = each;
  const has = (name: string): boolean => headers.some((line) => line.toLowerCase().startsWith(`${name}:`));
  const own = [...(has("host") ? [] : ["host: x"]), ...(has("connection") ? [] : ["connection: close"])];
  client.write(wire(`${method} ${path} HTTP/1.1`, [...own, ...headers], body));
  if (each.isCut === true) {
    // Until the upstream has heard of it, if it ever does.
    for (let turn = 0; turn < 200 && upstream.peers.every((peer) => peer.bytes.length === 0); turn++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    client.socket.resetAndDestroy();
    await Promise.all(upstream.peers.map((peer) => peer.request()));
  }
  const timer = setTimeout(() => client.socket.destroy(), LIMIT_MS);
  await client.closed;
  clearTimeout(timer);
  return {
    answer: parseMessage(client.bytes, method === "HEAD" ? "head response" : "response"),
    asked: upstream.peers.map((peer) => parseMessage(peer.bytes, "request")),
  };
}
