// The demo's connection to the Redis of REDIS_URL, and what keeps it from working, in one line.

import { Redis } from "ioredis";

const KEY: unique symbol = Symbol.for("tailrace.demo.redis.1");
const CONNECT_MS = 5_000;

/**
 * One client per process, though Next.js loads this module several times. It connects with the first command: a build, which loads the
 * routes too, asks for nothing.
 *
 * @throws {Error} if `url` is no address of a Redis
 */
export function redisClient(url: string): Redis {
  const home = globalThis as { [KEY]?: Redis };
  return (home[KEY] ??= openClient(checked(url)));
}

/** Ends the connection, if there is one. */
export function closeRedis(): void {
  const home = globalThis as { [KEY]?: Redis | undefined };
  home[KEY]?.disconnect();
  home[KEY] = undefined;
}

function openClient(url: string): Redis {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    // How long a call is tried is for the store to say.
    maxRetriesPerRequest: null,
    // A primary that has become a replica says so: the client looks again for whoever has its name now.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  let isTold = false;
  client.on("ready", () => {
    if (isTold) console.log(`Redis at ${placeOf(url)} answers again.`);
    isTold = false;
  });
  // Once for an outage, and not for every attempt.
  client.on("error", (error) => {
    if (!isTold) console.error(redisFault(url, error));
    isTold = true;
  });
  return client;
}

/** Connects once, without trying again. @throws {Error} whose message says in one line what is wrong, and what to do */
export async function checkRedis(url: string): Promise<void> {
  const client = new Redis(checked(url), {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // `connect` only says that the connection was closed; why, the event says.
  let cause: unknown;
  client.on("error", (error) => (cause ??= error));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw new Error(redisFault(url, cause ?? error), { cause: error });
  } finally {
    client.disconnect();
  }
}

function checked(url: string): string {
  if (URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol) && new URL(url).hostname !== "") return url;
  throw new Error(
    "REDIS_URL is not the address of a Redis: give one as in redis://:password@127.0.0.1:6379/0, or unset it to keep the streams in SQLite.",
  );
}

/** Host and port: the password must not get into a log. */
function placeOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 6379}`;
}

function redisFault(url: string, error: unknown): string {
  // A name with several addresses fails without a message, but with a code.
  const { message = "", code = "" } = error as { readonly message?: string; readonly code?: string };
  const place = placeOf(url);
  if (/WRONGPASS|NOAUTH|invalid password|without any password/i.test(message))
    return `Redis at ${place} refuses the user or password of REDIS_URL: correct it, as in redis://user:password@${place}.`;
  const why = (message || code || "it does not answer").split("\n", 1)[0];
  return `Redis at ${place} cannot be used (${why}): start it, correct REDIS_URL, or unset it to keep the streams in SQLite.`;
}
