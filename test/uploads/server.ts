// A server of uploads in a process of its own, for tests of its memory: says its port, and tells its peak when asked.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { problem } from "../../src/http/problem.ts";
import { diskSink } from "../../src/node/disk-sink.ts";
import { incomingBody } from "../../src/node/incoming-body.ts";
import { receive } from "../../src/receive/receive.ts";

const to = diskSink(process.argv[2] ?? ".");

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const headers = new Headers(Object.entries(incoming.headers) as [string, string][]);
  const init = { method: "POST", headers, body: incomingBody(incoming, outgoing), duplex: "half" };
  const response = await receive(new Request("http://localhost/", init), { to, maxBytes: 2_000_000_000 })
    .then((received) => Response.json(received))
    .catch(problem);
  outgoing.statusCode = response.status;
  outgoing.end(await response.text());
}

const server = createServer((incoming, outgoing) => void answer(incoming, outgoing)).listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("message", () => process.send?.({ peakBytes: process.resourceUsage().maxRSS * 1_024 }));
process.on("disconnect", () => process.exit(0));
