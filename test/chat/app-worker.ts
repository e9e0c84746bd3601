// The chat of app.ts in a process of its own: `app-worker.ts STORE MODEL_URL LEASE_MS PORT`. It tells its port, and ends with its parent.

import { Redis } from "ioredis";
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { redisStore } from "../../src/log/redis.ts";
import { sqliteStore } from "../../src/log/sqlite.ts";
import { createStreams } from "../../src/log/streams.ts";
import { createListener } from "../../src/node/listener.ts";
import { makeAnswerer, makeApp } from "./app.ts";

const [place = "", modelUrl = "", leaseMs, port] = process.argv.slice(2);
const store = place.startsWith("redis:") ? redisStore(new Redis(place)) : sqliteStore(place);
const streams = createStreams({ store, leaseMs: Number(leaseMs) });
await streams.open();
const server = createServer(createListener(makeApp(streams, makeAnswerer(modelUrl))));
server.listen(Number(port), "127.0.0.1");
await once(server, "listening");
subscribe("tailrace:error", () => undefined); // its answers are meant to fail
process.on("disconnect", () => process.exit());
process.send!((server.address() as AddressInfo).port);
