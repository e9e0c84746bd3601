// The table of test/flow/relay-cases.ts, played against ours and against others. Not a test: `node test/flow/relay-peers.ts [-v]` prints
// how many cases each gets right, and with -v what is wrong with the others.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createFetchProxy } from "@remix-run/fetch-proxy";
import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { relay } from "../../src/flow/relay.ts";
import type { RelayOptions } from "../../src/flow/relay-options.ts";
import { guardedFetch } from "../../src/node/guarded-fetch.ts";
import { createListener } from "../../src/node/listener.ts";
import { startUpstream } from "./raw-http.ts";
import { CASES } from "./relay-cases.ts";
import { play } from "./relay-play.ts";

const isVerbose = process.argv.includes("-v");
const upstream = await startUpstream();
const target = (url: string): string => upstream.origin + new URL(url).pathname;
let options: RelayOptions = {};
const closers: (() => unknown)[] = [];

// A peer that throws where nobody catches must not end the comparison.
process.on("uncaughtException", () => undefined);
process.on("unhandledRejection", () => undefined);
// What the peers log about failures is not what is looked at.
console.error = () => undefined;

async function portOf(server: Server): Promise<number> {
  if (!server.listening) await once(server, "listening");
  closers.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return (server.address() as AddressInfo).port;
}

function ours(fetch: RelayOptions["fetch"]): Promise<number> {
  const listener = createListener((request) =>
    relay(request, target(request.url), { fetch, onError: () => undefined, ...options }),
  );
  return portOf(createServer(listener).listen(0, "127.0.0.1"));
}

function hono(strictConnectionProcessing: boolean): Promise<number> {
  const app = new Hono();
  app.all("*", (c) => proxy(target(c.req.url), { raw: c.req.raw, strictConnectionProcessing }));
  return portOf(serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }) as Server);
}

function fetchProxy(): Promise<number> {
  const handler = createFetchProxy(upstream.origin);
  return portOf(serve({ fetch: (request) => handler(request), hostname: "127.0.0.1", port: 0 }) as Server);
}

const guarded = guardedFetch({ allowPrivate: [new URL(upstream.origin).host] });
const contestants: readonly (readonly [string, number])[] = [
  ["ours, fetch", await ours(undefined)],
  ["ours, guardedFetch", await ours(guarded)],
  ["hono/proxy", await hono(false)],
  ["hono/proxy, strict", await hono(true)],
  ["@remix-run/fetch-proxy", await fetchProxy()],
];

for (const [name, port] of contestants) {
  const right = { rule: 0, choice: 0 };
  const all = { rule: 0, choice: 0 };
  const wrong: string[] = [];
  for (const each of CASES) {
    options = each.options ?? {};
    const complaints = each.complaints(await play(each, port, upstream));
    all[each.kind]++;
    if (complaints.length === 0) right[each.kind]++;
    else wrong.push(`  ${each.kind}: ${each.name}: ${complaints.join("; ")}`);
  }
  console.log(`${name}: ${right.rule} of ${all.rule} rules, ${right.choice} of ${all.choice} choices`);
  if (isVerbose) console.log(wrong.join("\n"));
}

for (const close of closers) close();
await upstream.close();
process.exit();
