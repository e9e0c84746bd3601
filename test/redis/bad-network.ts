// A network that can be cut, stalled, made deaf and slowed: a proxy for TCP, whose target can be changed as well.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Which way nothing goes: to the server, from it, or both. */
export type Way = "up" | "down" | "both";

export interface BadNetwork {
  readonly port: number;
  /** Where connections go from now on; those that stand are kept. */
  lead(port: number): void;
  /** Resets every connection, and each new one, until `restore`. */
  cut(): void;
  /** Lets nothing through, and closes nothing. What was sent arrives after `restore`, as after lost packets. */
  stall(): void;
  /**
   * What goes this way vanishes and nothing is closed, as behind a firewall that has forgotten the connection. `restore` helps new
   * connections only: those that stand stay so for ever.
   */
  swallow(way?: Way): void;
  /** Every piece comes so much later, and no more than so many bytes a second go each way. */
  slow(latencyMs: number, bytesPerSecond: number): void;
  /** New connections pass, and those that are not beyond help. */
  restore(): void;
  readonly openCount: number;
  end(): Promise<void>;
}

interface Link {
  readonly near: Socket;
  readonly far: Socket;
  swallows: Way | undefined;
}

type State = { kind: "open" | "cut" | "stalled" } | { kind: "deaf"; way: Way };

/** A network to the server at `port` of this machine. */
export async function badNetwork(port: number): Promise<BadNetwork> {
  let target = port;
  let state: State = { kind: "open" };
  let slowness = { latencyMs: 0, bytesPerSecond: Infinity };
  const links = new Set<Link>();

  const server = createServer((near) => {
    near.on("error", () => {});
    if (state.kind === "cut") {
      near.resetAndDestroy();
      return;
    }
    const far = connect(target, "127.0.0.1");
    far.on("error", () => {});
    const link: Link = { near, far, swallows: state.kind === "deaf" ? state.way : undefined };
    links.add(link);
    pipe(link, near, far, "up");
    pipe(link, far, near, "down");
    if (state.kind === "stalled") for (const socket of [near, far]) socket.pause();
  });

  function pipe(link: Link, from: Socket, to: Socket, way: Way): void {
    let free = performance.now(); // when the line is free again
    const late: Buffer[] = [];
    from.setNoDelay(true);
    from.on("data", (chunk: Buffer) => {
      if (link.swallows === way || link.swallows === "both") return;
      const { latencyMs, bytesPerSecond } = slowness;
      const now = performance.now();
      free = Math.max(now, free) + (chunk.length / bytesPerSecond) * 1_000;
      const waitMs = free - now + latencyMs;
      if (waitMs === 0 && late.length === 0) {
        to.write(chunk);
        return;
      }
      late.push(chunk);
      // Timers of one moment may fire in any order: each lets the oldest piece go.
      setTimeout(() => {
        const oldest = late.shift()!;
        if (to.writable) to.write(oldest);
      }, waitMs);
    });
    from.on("close", () => {
      links.delete(link);
      // Whoever is deaf does not hear that the other side has gone, either.
      if (link.swallows === undefined) to.destroy();
      else if (way === "up") link.far.destroy();
    });
  }

  function reset(): void {
    for (const { near, far } of links) {
      near.resetAndDestroy();
      far.destroy();
    }
    links.clear();
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    lead(to) {
      target = to;
    },
    cut() {
      state = { kind: "cut" };
      reset();
    },
    stall() {
      state = { kind: "stalled" };
      for (const { near, far } of links) for (const socket of [near, far]) socket.pause();
    },
    swallow(way = "both") {
      state = { kind: "deaf", way };
      for (const link of links) link.swallows = way;
    },
    slow(latencyMs, bytesPerSecond) {
      slowness = { latencyMs, bytesPerSecond };
    },
    restore() {
      if (state.kind === "stalled")
        for (const { near, far } of links) for (const socket of [near, far]) socket.resume();
      state = { kind: "open" };
      slowness = { latencyMs: 0, bytesPerSecond: Infinity };
    },
    get openCount() {
      return links.size;
    },
    async end() {
      reset();
      server.close();
      await once(server, "close");
    },
  };
}
