// A relay in a process of its own, for tests of its memory: says its port, and tells its peak when asked.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { relay } from "../../src/flow/relay.ts";
import { guardedFetch } from "../../src/node/guarded-fetch.ts";
import { createListener } from "../../src/node/listener.ts";

const [upstream = "", kind] = process.argv.slice(2);
const fetch = kind === "guardedFetch" ? guardedFetch({ allowPrivate: [new URL(upstream).host] }) : undefined;

const server = createServer(createListener((request) => relay(request, upstream, { fetch })));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("message", () => process.send?.({ peakBytes: process.resourceUsage().maxRSS * 1_024 }));
process.on("disconnect", () => process.exit(0));
