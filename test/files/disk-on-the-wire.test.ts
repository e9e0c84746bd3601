// Files on disk over raw sockets: what changes meanwhile, readers that leave, and any range.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { appendFile, rename, truncate, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { diskFile } from "../../src/node/disk-file.ts";
import { file } from "../../src/reply/file.ts";
import { openReplies } from "../../src/reply/open-replies.ts";
import { exchange, readParts, startWireServer, type WireServer } from "./wire.ts";

const BYTES = randomBytes(8_000_000);

let folder: string;
let path: string;
let wire: WireServer;
const onError = vi.fn<(error: unknown) => void>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailrace-wire-"));
  path = join(folder, "a.bin");
  await writeFile(path, BYTES);
  onError.mockReset();
  wire = await startWireServer((request) => file(request, diskFile(path), { onError }));
});
afterEach(async () => {
  await wire.close();
  rmSync(folder, { recursive: true, force: true });
});

function openCount(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false; // the one that reads the folder
    }
  }).length;
}

const allClosed = (): Promise<void> =>
  vi.waitFor(() => {
    expect(openCount()).toBe(0);
    expect(openReplies().size).toBe(0);
  });

/** A reader that takes `bytes` and then nothing more until it is told to. */
async function readSome(bytes: number): Promise<{ socket: Socket; rest(): Promise<Buffer> }> {
  const socket = connect(wire.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  const chunks: Buffer[] = [];
  let length = 0;
  const isEnough = Promise.withResolvers<void>();
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytes) {
      socket.pause();
      isEnough.resolve();
    }
  });
  socket.on("error", () => undefined); // a cut may come as a reset
  await isEnough.promise;
  return {
    socket,
    async rest() {
      const closed = once(socket, "close");
      bytes = Infinity;
      socket.resume();
      await closed;
      const whole = Buffer.concat(chunks);
      return whole.subarray(whole.indexOf("\r\n\r\n") + 4);
    },
  };
}

describe("a file that changes while it is sent", () => {
  test("grows: the announced bytes and not one more", async () => {
    const reader = await readSome(1_000);
    await appendFile(path, randomBytes(1_000_000));
    const body = await reader.rest();
    expect(body.length).toBe(BYTES.length);
    expect(body.equals(BYTES)).toBe(true);
    expect(onError).not.toHaveBeenCalled();
    await allClosed();
  });

  test("shrinks: the connection is cut", async () => {
    const reader = await readSome(1_000);
    await truncate(path, 7_000_000); // further on than what the sockets hold by now
    const body = await reader.rest();
    expect(body.length).toBeLessThan(BYTES.length);
    expect(body.equals(BYTES.subarray(0, body.length))).toBe(true);
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "source_failed" }));
    await allClosed();
  });

  test("is replaced: the old one to its end", async () => {
    const reader = await readSome(1_000);
    await writeFile(join(folder, "new"), randomBytes(BYTES.length));
    await rename(join(folder, "new"), path);
    expect((await reader.rest()).equals(BYTES)).toBe(true);
    await allClosed();
  });

  test("an answer that was cut is never followed by another on the same connection", async () => {
    const socket = connect(wire.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "readable");
    await truncate(path, 7_000_000);
    let heads = 0;
    let length = 0;
    socket.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (chunk.includes("HTTP/1.1 ")) heads++;
    });
    await once(socket, "close");
    expect(heads).toBe(1);
    expect(length).toBeLessThan(BYTES.length);
  });
});

describe("no descriptor stays open", () => {
  test("50 readers that leave at random points", async () => {
    const leave = async (at: number): Promise<void> => {
      const { socket } = await readSome(at);
      const closed = once(socket, "close");
      socket.destroy();
      await closed;
    };
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 10 }, () => leave(Math.floor(Math.random() * BYTES.length * 0.9) + 1)));
    }
    await allClosed();
    expect(onError).not.toHaveBeenCalled();
  });

  test("20 readers that leave before anything came", async () => {
    for (let count = 0; count < 20; count++) {
      const socket = connect(wire.port, "127.0.0.1");
      await once(socket, "connect");
      socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
      if (count % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
    }
    await allClosed();
    expect(onError).not.toHaveBeenCalled();
  });

  test("100 HEADs", async () => {
    for (let count = 0; count < 100; count++) {
      const { status, headers, body } = await exchange(wire.port, "HEAD", "/");
      expect([status, headers.get("content-length"), body.length]).toEqual([200, String(BYTES.length), 0]);
    }
    expect(openCount()).toBe(0);
  });

  test("304, 412 and 416", async () => {
    for (const [name, value, status] of [
      ["if-none-match", "*", 304],
      ["if-match", '"x"', 412],
      ["range", "bytes=8000000-", 416],
    ] as const) {
      expect((await exchange(wire.port, "GET", "/", [[name, value]])).status).toBe(status);
    }
    expect(openCount()).toBe(0);
  });
});

test("any range of the file is exactly these bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(BYTES.length - 1), fc.integer({ min: 1, max: 2_000_000 }), async (start, length) => {
      const end = Math.min(BYTES.length, start + length);
      const response = await exchange(wire.port, "GET", "/", [["range", `bytes=${start}-${start + length - 1}`]]);
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe(`bytes ${start}-${end - 1}/${BYTES.length}`);
      expect(response.isWhole).toBe(true);
      expect(response.body.equals(BYTES.subarray(start, end))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test("any several ranges of the file are exactly these bytes", async () => {
  const range = fc.tuple(fc.nat(BYTES.length - 1), fc.integer({ min: 1, max: 300_000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(range, { minLength: 2, maxLength: 4 }), async (ranges) => {
      const value = ranges.map(([start, length]) => `${start}-${start + length - 1}`).join(", ");
      const response = await exchange(wire.port, "GET", "/", [["range", `bytes=${value}`]]);
      expect(response.isWhole).toBe(true);
      expect(response.status).toBe(206);
      const single = response.headers.get("content-range");
      const parts = single === undefined ? readParts(response) : [{ range: single, bytes: response.body }];
      for (const part of parts) {
        const [, start = "", last = ""] = /^bytes (\d+)-(\d+)\/8000000$/.exec(part.range) ?? [];
        expect(part.bytes.equals(BYTES.subarray(Number(start), Number(last) + 1))).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});

test("readers at the same time, whose buffers are used again and again, each get the right bytes", async () => {
  const wanted = createHash("sha256").update(BYTES).digest("hex");
  for (let round = 0; round < 3; round++) {
    const bodies = await Promise.all(Array.from({ length: 8 }, () => exchange(wire.port, "GET", "/")));
    for (const { body } of bodies) expect(createHash("sha256").update(body).digest("hex")).toBe(wanted);
  }
});

test("what waits in the sockets of slow readers is not read into for others", async () => {
  // More than the kernel holds for both ends of a connection, so that buffers of ours wait while the others come and go.
  const large = Buffer.concat(Array.from({ length: 5 }, () => BYTES));
  await writeFile(path, large);
  const slow = await Promise.all(Array.from({ length: 4 }, () => readSome(1_000)));
  for (let round = 0; round < 3; round++) {
    expect((await exchange(wire.port, "GET", "/")).body.equals(large)).toBe(true);
  }
  for (const reader of slow) expect((await reader.rest()).equals(large)).toBe(true);
});
