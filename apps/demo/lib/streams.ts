// The demo's named streams: in the Redis of REDIS_URL, shared by every instance on any host, or in one SQLite file, shared by
// those on this host.

import { createStreams, type Streams } from "tailrace";
import { redisStore } from "tailrace/redis";
import { sqliteStore } from "tailrace/sqlite";
import { redisUrl, streamsFile } from "./environment.ts";
import { closeRedis, redisClient } from "./redis.ts";

const url = redisUrl();

export const streams: Streams = createStreams({
  store: url === undefined ? sqliteStore(streamsFile) : redisStore(redisClient(url)),
});

/** Closes the streams, and the connection that they were kept over. */
export async function closeStreams(): Promise<void> {
  await streams.close();
  closeRedis();
}
