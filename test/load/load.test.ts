// What a server holds on to: with a reader that stalls, and after a thousand that have left.

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

interface Resources {
  readonly rss: number;
  readonly heapUsed: number;
  readonly opened: number;
  readonly finished: number;
  readonly openReplies: number;
  readonly channels: number;
  readonly timers: number;
  readonly sockets: number;
  readonly descriptors: number;
}

let child: ChildProcess;
let port: number;

beforeAll(async () => {
  child = fork(join(import.meta.dirname, "server.ts"), { execArgv: ["--expose-gc"] });
  [port] = (await once(child, "message")) as [number];
});
afterAll(async () => {
  const gone = once(child, "exit");
  child.disconnect();
  await gone;
});

async function resources(): Promise<Resources> {
  const response = await fetch(`http://127.0.0.1:${port}/resources`, { headers: { connection: "close" } });
  return (await response.json()) as Resources;
}

function open(path: string): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: test\r\n\r\n`);
  return socket;
}

/** How many bytes a reader of `path` gets in `ms` milliseconds. */
async function readFor(path: string, ms: number): Promise<number> {
  const socket = open(path);
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve) => setTimeout(resolve, ms));
  socket.destroy();
  return bytes;
}

describe("a server under load", () => {
  test("a reader that stalls for 10 s on an endless fast source costs under 25 MB and does not slow another", async () => {
    await readFor("/fast", 1_500); // warm
    const alone = Array.from({ length: 3 }, () => 0);
    for (const index of alone.keys()) alone[index] = await readFor("/fast", 500);
    const before = await resources();
    const stalled = open("/fast");
    await once(stalled, "data");
    stalled.pause();
    let most = 0;
    const until = performance.now() + 10_000;
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      most = Math.max(most, (await resources()).rss - before.rss);
    }
    // Not a measure of speed: a stalled reader that took its share of the work would more than halve the other's, each time.
    // The best against the worst, since others take their share of the machine when they like.
    const enough = Math.min(...alone) * 0.5;
    let beside = 0;
    for (let turns = 0; turns < 20 && beside <= enough; turns++) beside = Math.max(beside, await readFor("/fast", 500));
    stalled.destroy();
    expect(most).toBeLessThan(25 * 1_048_576);
    expect(beside).toBeGreaterThan(enough);
    await vi.waitFor(async () => expect((await resources()).openReplies).toBe(0));
  });

  test("1,000 readers that leave at random points leave no timer, listener, iterator or descriptor behind", async () => {
    const leave = async (index: number): Promise<void> => {
      const socket = open(["/slow", "/named", "/fast"][index % 3]!);
      const left = once(socket, "close");
      // Before the request is read, after some bytes, or some time later while the source is silent.
      if (index % 4 === 1) await once(socket, "data");
      else if (index % 4 > 1) await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      socket.destroy();
      await left;
    };
    await Promise.all(Array.from({ length: 60 }, (_, index) => leave(index))); // warm
    await vi.waitFor(async () => expect((await resources()).openReplies).toBe(0));
    const before = await resources();
    for (let batch = 0; batch < 20; batch++) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => leave(batch * 50 + index)));
    }
    await vi.waitFor(
      async () => {
        const { opened, finished, openReplies, channels, timers, sockets, descriptors } = await resources();
        expect(opened).toBeGreaterThan(before.opened + 150); // those who waited for their first bytes, at least
        expect({ running: opened - finished, openReplies, channels, timers, sockets, descriptors }).toEqual({
          running: before.opened - before.finished,
          openReplies: 0,
          channels: 0,
          timers: before.timers,
          sockets: before.sockets,
          descriptors: before.descriptors,
        });
      },
      { interval: 100 },
    );
    expect((await resources()).heapUsed - before.heapUsed).toBeLessThan(5 * 1_048_576);
  });
});
