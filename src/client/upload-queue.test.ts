import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TusStandIn, tusStandIn, until } from "../node/transfer-stand-in.test-support.ts";
import { createUploadQueue, type UploadQueue } from "./upload-queue.ts";

const NOW = { minDelayMs: 0, maxDelayMs: 0, store: null } as const;
let server: TusStandIn;
let gates: (() => void)[];

beforeEach(async () => {
  server = await tusStandIn();
  gates = [];
  server.gate = () => new Promise((resolve) => gates.push(resolve));
});
afterEach(() => server.close());

const statuses = (queue: UploadQueue): string => queue.uploads.map(({ upload }) => upload.state.status).join(" ");
const settled = (queue: UploadQueue): Promise<unknown> =>
  Promise.allSettled(queue.uploads.map(({ upload }) => upload.done));

describe("createUploadQueue", () => {
  test("add() runs as many as there are turns, in order, and totals() counts them together", async () => {
    const queue = createUploadQueue({ concurrency: 2 });
    for (const name of ["a", "b", "c", "d"]) queue.add(server.endpoint, new File(["0123456789"], name), NOW);
    await expect.poll(() => gates.length).toBe(2);
    expect(statuses(queue)).toBe("sending sending queued queued");
    expect(queue.totals).toMatchObject({ files: 4, done: 0, failed: 0, totalBytes: 40, bytesStored: 0 });
    gates.shift()?.();
    await until(queue, () => queue.totals.done === 1);
    await expect.poll(() => gates.length).toBe(2);
    expect(statuses(queue)).toMatch(/^(done sending|sending done) sending queued$/);
    server.gate = async () => undefined;
    for (const open of gates) open();
    await settled(queue);
    expect(queue.totals).toMatchObject({ files: 4, done: 4, bytesStored: 40, bytesSent: 40, bytesPerSecond: 0 });
    expect(queue.uploads.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
    expect(new Set(queue.uploads.map(({ id }) => id)).size).toBe(4);
  });

  test("a paused upload gives its turn away, and queues again when it is resumed", async () => {
    const queue = createUploadQueue({ concurrency: 1 });
    const [first, second] = ["a", "b"].map((name) => queue.add(server.endpoint, new File(["xy"], name), NOW).upload);
    await expect.poll(() => gates.length).toBe(1);
    first?.pause();
    await expect.poll(() => gates.length).toBe(2);
    expect(statuses(queue)).toBe("paused sending");
    first?.resume();
    expect(statuses(queue)).toBe("queued sending");
    server.gate = async () => undefined;
    for (const open of gates) open();
    await Promise.all([first?.done, second?.done]);
    expect(statuses(queue)).toBe("done done");
  });

  test("an upload that is paused or aborted while it waits for its turn leaves the line", async () => {
    const queue = createUploadQueue({ concurrency: 1 });
    const [a, b, c, d] = ["a", "b", "c", "d"].map(
      (name) => queue.add(server.endpoint, new File(["xy"], name), NOW).upload,
    );
    await expect.poll(() => gates.length).toBe(1);
    b?.pause();
    await c?.abort();
    server.gate = async () => undefined;
    gates[0]?.();
    await Promise.all([a?.done, d?.done]);
    expect(statuses(queue)).toBe("done paused failed done");
    b?.resume();
    await b?.done;
  });

  test("add() takes as many as maxUploads, and refuses one more until one is removed", async () => {
    const queue = createUploadQueue({ maxUploads: 2 });
    const first = queue.add(server.endpoint, new Blob(["a"]), NOW);
    queue.add(server.endpoint, new Blob(["b"]), NOW);
    expect(() => queue.add(server.endpoint, new Blob(["c"]), NOW)).toThrow(/holds 2 uploads/);
    queue.remove(first.id);
    await expect(first.upload.done).rejects.toMatchObject({ code: "aborted" });
    queue.add(server.endpoint, new Blob(["c"]), NOW);
    queue.remove("unknown");
    expect(queue.uploads.length).toBe(2);
    queue.abort();
    await settled(queue);
    expect(statuses(queue)).toBe("failed failed");
  });

  test("retry() begins a failed upload again in its place, and leaves others alone", async () => {
    server.gate = async () => undefined;
    server.intercept = (_, attempt) => (attempt === 1 ? { status: 400 } : undefined);
    const queue = createUploadQueue();
    const { id, upload } = queue.add(server.endpoint, new Blob(["a"]), NOW);
    await settled(queue);
    expect(queue.totals).toMatchObject({ failed: 1, done: 0 });
    queue.retry(id);
    await settled(queue);
    expect(queue.uploads[0]?.upload).not.toBe(upload);
    expect([queue.uploads[0]?.id, statuses(queue)]).toEqual([id, "done"]);
    queue.retry(id);
    queue.retry("unknown");
    expect(statuses(queue)).toBe("done");
  });
});
