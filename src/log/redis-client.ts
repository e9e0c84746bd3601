// What is asked of a Redis client: one way to send a command and one to listen, over ioredis and over node-redis.

import { afterTurn, systemClock } from "../clock.ts";
import { TailraceError } from "../errors.ts";

/** What a command is made of. */
export type RedisArgument = string | Uint8Array;

/** A client or a cluster of the package `ioredis`, by what tells it from others. */
export interface IoredisClient {
  callBuffer(...args: never[]): Promise<unknown>;
  duplicate(): unknown;
}

/** A client or a cluster of the package `redis` (node-redis), by what tells it from others. `connect()` it first. */
export interface NodeRedisClient {
  sendCommand(...args: never[]): Promise<unknown>;
  duplicate(): unknown;
}

/** The clients that a store can be made over. */
export type RedisClient = IoredisClient | NodeRedisClient;

type Listener = (...args: never[]) => void;

/** What is used of ioredis. */
interface Ioredis {
  callBuffer(command: string, ...args: RedisArgument[]): Promise<unknown>;
  duplicate(override?: object): Ioredis;
  off?(event: string, listener: Listener): unknown;
  readonly isCluster?: boolean | undefined;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
  on(event: string, listener: Listener): unknown;
  /** The socket, while there is one. */
  readonly stream?: Corkable | undefined;
  readonly status?: string | undefined;
  readonly options?:
    | { readonly host?: string; readonly port?: number; readonly path?: string; readonly db?: number }
    | undefined;
}

/** A socket of Node.js, as far as it is used. */
interface Corkable {
  destroy(): unknown;
  cork?(): void;
  uncork?(): void;
}

/** What is used of node-redis. */
interface NodeRedis {
  sendCommand(...args: unknown[]): Promise<unknown>;
  duplicate(override?: object): NodeRedis;
  connect(): Promise<unknown>;
  off?(event: string, listener: Listener): unknown;
  readonly isReady?: boolean | undefined;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: Listener): unknown;
  readonly isOpen?: boolean | undefined;
  readonly options?: NodeRedisOptions | undefined;
}

/** What a subscription tells. */
export interface SubscriberEvents {
  onMessage(message: string): void;
  /** Messages may be lost from now on, until `onUp`. */
  onDown(): void;
  /** The connection is there, for the first time or again. */
  onUp(): void;
}

/** Both kinds of client in one shape. */
export interface RedisPort {
  /** Sends one command. `key` says to which node of a cluster. Strings come back as bytes. */
  send(key: string, args: readonly RedisArgument[]): Promise<unknown>;
  /** Listens on a connection of its own, until the result is called. */
  subscribe(channel: string, events: SubscriberEvents): () => void;
  /** Whether somebody has closed the client for good, so that trying again is of no use. */
  readonly isClosed: boolean;
  /** How often the connection has been lost, as far as the client tells. */
  readonly breakCount: number;
  /** Calls `listener` whenever the connection is lost, before any other is there. */
  onBreak(listener: () => void): void;
  readonly isCluster: boolean;
  /** Whether a connection of its own is made and answered within `limitMs`. Not for clusters, which have several places to ask. */
  probe?(limitMs: number): Promise<boolean>;
  /** Gives the connection up and makes another. */
  replace?(): void;
  /** Leaves nothing behind in the client. */
  release(): void;
  /** Where the data is: the same text for two clients of one place; undefined if the client does not say. */
  readonly place: string | undefined;
}

/** @throws {TailraceError} `input_invalid` for a value that is neither an ioredis nor a node-redis client */
export function portOf(client: RedisClient): RedisPort {
  if ("callBuffer" in client && typeof client.callBuffer === "function")
    return ioredisPort(client as unknown as Ioredis);
  if ("sendCommand" in client && typeof client.sendCommand === "function")
    return nodeRedisPort(client as unknown as NodeRedis);
  const message = "redisStore takes a client of ioredis (new Redis()) or of node-redis (createClient()).";
  throw new TailraceError("input_invalid", message);
}

/** Both packages take a Buffer where bytes are sent, and no other view. */
function asBuffers(args: readonly RedisArgument[]): (string | Uint8Array)[] {
  return args.map((arg) =>
    typeof arg === "string" || arg instanceof Buffer ? arg : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength),
  );
}

function ioredisPort(client: Ioredis): RedisPort {
  const { host, port, path, db } = client.options ?? {};
  let corked: Corkable | undefined;
  let openCount = 0;
  const answered = (): void => void openCount--;
  // ioredis writes each command by itself: what is sent in one turn goes as one write, which costs half of what it did. A
  // command that finds nothing under way goes at once.
  const cork = (): void => {
    const { stream } = client;
    if (openCount++ === 0 || corked !== undefined || stream?.cork === undefined) return;
    corked = stream;
    stream.cork();
    afterTurn(() => {
      corked = undefined;
      stream.uncork?.();
    });
  };
  const breaks = countBreaks(client, ["close"]);
  const single: Pick<RedisPort, "probe" | "replace"> = {
    probe: (limitMs) =>
      answeredBy(client.duplicate({ retryStrategy: null, maxRetriesPerRequest: 0, lazyConnect: false }), limitMs, {
        ask: (probe) => probe.callBuffer("PING"),
        end: (probe) => probe.disconnect(),
      }),
    replace: () => void client.stream?.destroy(), // it connects again, and sends again what was not answered
  };
  return {
    ...(client.isCluster === true || client.options === undefined ? {} : single),
    isCluster: client.isCluster === true,
    get breakCount() {
      return breaks.count;
    },
    onBreak: breaks.listen,
    release: breaks.release,
    send(_key, args) {
      cork();
      const [command = "", ...rest] = asBuffers(args);
      const answer = client.callBuffer(command as string, ...rest); // finds the keys of EVALSHA by itself
      answer.then(answered, answered);
      return answer;
    },
    subscribe(channel, events) {
      const subscriber = client.duplicate();
      let stopped = false;
      subscriber.on("error", () => {}); // it connects again by itself, and subscribes again
      subscriber.on("close", () => !stopped && events.onDown());
      subscriber.on("end", () => !stopped && events.onDown());
      subscriber.on("ready", () => !stopped && events.onUp());
      subscriber.on("message", (_channel: string, message: string) => !stopped && events.onMessage(message));
      // A command that fails here is made good by the next connection; until then the watcher hears nothing and looks.
      subscriber.subscribe(channel).then(
        () => !stopped && events.onUp(),
        () => {},
      );
      return () => {
        stopped = true;
        subscriber.disconnect();
      };
    },
    get isClosed() {
      return client.status === "end";
    },
    place: path ?? (host === undefined ? undefined : `${host}:${port ?? 6379}/${db ?? 0}`),
  };
}

interface NodeRedisOptions {
  readonly url?: string | undefined;
  readonly socket?: { readonly host?: string; readonly port?: number; readonly path?: string } | undefined;
  readonly database?: number | undefined;
}

/** Asks node-redis for strings as bytes: the type `$` of the protocol. */
const AS_BYTES = { typeMapping: { 36: Buffer } };

function nodeRedisPort(client: NodeRedis): RedisPort {
  const isCluster = "masters" in client;
  const breaks = countBreaks(client, ["reconnecting", "end"]);
  const single: Pick<RedisPort, "probe" | "replace"> = {
    probe: (limitMs) =>
      answeredBy(client.duplicate({ socket: { ...client.options?.socket, reconnectStrategy: false } }), limitMs, {
        ask: (probe) => probe.connect().then(() => probe.sendCommand(["PING"])),
        end: destroyQuietly,
      }),
    replace() {
      if (client.isReady !== true) return; // it is connecting already
      destroyQuietly(client); // what waits for an answer fails, and is tried again
      client.connect().catch(() => {}); // its own listener for errors is told as well
    },
  };
  return {
    ...(isCluster ? {} : single),
    isCluster,
    get breakCount() {
      return breaks.count;
    },
    onBreak: breaks.listen,
    release: breaks.release,
    send(key, args) {
      const command = asBuffers(args);
      return isCluster ? client.sendCommand(key, false, command, AS_BYTES) : client.sendCommand(command, AS_BYTES);
    },
    subscribe(channel, events) {
      const subscriber = client.duplicate();
      let stopped = false;
      subscriber.on("error", () => !stopped && events.onDown());
      subscriber.on("reconnecting", () => !stopped && events.onDown());
      subscriber.on("ready", () => !stopped && events.onUp());
      const listen = async (): Promise<void> => {
        await subscriber.connect();
        if (stopped) return;
        await subscriber.subscribe(channel, (message) => !stopped && events.onMessage(message));
        if (!stopped) events.onUp();
      };
      listen().catch(() => !stopped && events.onDown());
      return () => {
        stopped = true;
        destroyQuietly(subscriber);
      };
    },
    get isClosed() {
      return client.isOpen === false;
    },
    place: isCluster ? undefined : nodeRedisPlace(client.options),
  };
}

interface Emitter {
  on?(event: string, listener: Listener): unknown;
  off?(event: string, listener: Listener): unknown;
}

type Breaks = Pick<RedisPort, "release"> & { readonly count: number; readonly listen: RedisPort["onBreak"] };

/** Counts the events by which a client tells that its connection is lost. */
function countBreaks(client: Emitter, events: readonly string[]): Breaks {
  const listeners: (() => void)[] = [];
  const breaks = { count: 0, listen: (listener: () => void) => void listeners.push(listener), release };
  const add = (): void => {
    breaks.count++;
    for (const listener of listeners) listener();
  };
  for (const event of events) client.on?.(event, add);
  function release(): void {
    for (const event of events) client.off?.(event, add);
  }
  return breaks;
}

interface Asking<C> {
  readonly ask: (client: C) => Promise<unknown>;
  readonly end: (client: C) => void;
}

/** Whether `client`, which is made for this, is answered in time. */
async function answeredBy<C extends Emitter>(client: C, limitMs: number, { ask, end }: Asking<C>): Promise<boolean> {
  client.on?.("error", () => {});
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const cancel = systemClock.after(limitMs, () => resolve(false));
  try {
    const answer = ask(client).then(
      () => true,
      () => false,
    );
    return await Promise.race([answer, late]);
  } finally {
    cancel();
    end(client);
  }
}

/** `destroy` throws on a client that was never open, or is no more. */
function destroyQuietly(client: NodeRedis): void {
  try {
    client.destroy();
  } catch {
    // gone already
  }
}

function nodeRedisPlace(options: NodeRedisOptions | undefined): string | undefined {
  if (options === undefined) return undefined;
  const url = options.url !== undefined && URL.canParse(options.url) ? new URL(options.url) : undefined;
  const { host = url?.hostname, port = Number(url?.port || 6379), path } = options.socket ?? {};
  const database = options.database ?? Number(url?.pathname.slice(1) || 0);
  return path ?? `${host ?? "localhost"}:${port}/${database}`;
}
