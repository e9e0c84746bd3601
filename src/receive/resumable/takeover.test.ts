// A newer request ends an append in progress, whose bytes count, and never waits for a dead connection.

import { describe, expect, test, vi } from "vitest";
import { createManualClock } from "../../testing/manual-clock.ts";
import { BASE, type Handle, HandBody, handlerOf, idIn, send, storedText } from "./sent.test-support.ts";
import { heldCount, MAX_WAITING_COUNT, takeOver } from "./takeover.ts";
import { tus } from "./tus.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const TYPE = { "content-type": "application/offset+octet-stream" };

function patch(
  handle: Handle,
  path: string,
  offset: number,
  body: string | HandBody,
  signal?: AbortSignal,
): Promise<Response> {
  const content = typeof body === "string" ? body : body.stream;
  return handle(send("PATCH", path, { ...VERSION, ...TYPE, "upload-offset": String(offset) }, content, signal));
}

async function begun(options: Parameters<typeof handlerOf>[1] = {}): Promise<{
  handle: Handle;
  path: string;
  body: HandBody;
  first: Promise<Response>;
  stored: () => Promise<string>;
  signal: AbortController;
}> {
  const { handle, storage } = handlerOf(tus, options);
  const id = idIn(await handle(send("POST", BASE, { ...VERSION, "upload-length": "9" })));
  const path = `${BASE}${id}`;
  const body = new HandBody();
  const signal = new AbortController();
  const first = patch(handle, path, 0, body, signal.signal);
  body.give("abc");
  await vi.waitFor(async () => expect((await storage.head(id))?.offset).toBe(3));
  return { handle, path, body, first, stored: () => storedText(storage, id), signal };
}

describe("takeOver", () => {
  test("HEAD ends an append: the append is told so, and its bytes count", async () => {
    const { handle, path, first } = await begun();
    const head = await handle(send("HEAD", path, VERSION));
    expect([head.status, head.headers.get("upload-offset")]).toEqual([200, "3"]);
    expect([(await first).status, await (await first).json()]).toMatchObject([409, { code: "aborted" }]);
    expect(heldCount()).toBe(0);
  });

  test("the offset that HEAD told can be used, whatever the old connection still brings", async () => {
    const { handle, path, body, stored } = await begun();
    await handle(send("HEAD", path, VERSION));
    body.give("XXX");
    expect((await patch(handle, path, 3, "def")).status).toBe(204);
    expect(await stored()).toBe("abcdef");
  });

  test("PATCH ends an append and goes on from where it was", async () => {
    const { handle, path, first, stored } = await begun();
    expect((await patch(handle, path, 3, "defghi")).status).toBe(204);
    expect((await first).status).toBe(409);
    expect(await stored()).toBe("abcdefghi");
  });

  test("of many at once, only what fits the offset is stored, and none waits for ever", async () => {
    const { handle, path, stored } = await begun();
    const answers = await Promise.all(Array.from({ length: 10 }, () => patch(handle, path, 3, "def")));
    expect(answers.filter(({ status }) => status === 204).length).toBe(1);
    expect(answers.filter(({ status }) => status === 409).length).toBe(9);
    expect(await stored()).toBe("abcdef");
    expect(heldCount()).toBe(0);
  });

  test("DELETE ends an append and removes the upload", async () => {
    const { handle, path, first } = await begun();
    expect((await handle(send("DELETE", path, VERSION))).status).toBe(204);
    expect((await first).status).toBe(409);
    expect((await handle(send("HEAD", path, VERSION))).status).toBe(404);
  });

  test("a sender that leaves, by its signal or by its body, gives the upload free with what was stored", async () => {
    for (const leave of ["signal", "body"] as const) {
      const { handle, path, body, first, signal } = await begun();
      if (leave === "signal") signal.abort();
      else body.breakOff();
      expect((await first).status).toBe(499);
      expect(heldCount()).toBe(0);
      expect((await handle(send("HEAD", path, VERSION))).headers.get("upload-offset")).toBe("3");
    }
  });

  test("a silent sender is ended after idleMs, a slow one after a while", async () => {
    const clock = createManualClock();
    const idle = await begun({ clock, idleMs: 1_000, minBytesPerSecond: 0 });
    clock.advance(999);
    idle.body.give("d");
    await vi.waitFor(async () => expect(await idle.stored()).toBe("abcd"));
    clock.advance(1_000);
    clock.advance(1_000);
    expect((await idle.first).status).toBe(408);
    expect(await idle.stored()).toBe("abcd");
    const slow = await begun({ clock, minBytesPerSecond: 1_000 });
    for (let seconds = 0; seconds < 60; seconds++) clock.advance(1_000);
    expect((await slow.first).status).toBe(408);
    clock.advance(2_000); // what is left of a refused body is thrown away for so long
    await vi.waitFor(() => expect([heldCount(), clock.timerCount]).toEqual([0, 0]));
  });

  test("a delivery is waited for, by 64 requests and no more", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onComplete = vi.fn(() => promise);
    const { handle } = handlerOf(tus, { onComplete });
    const id = idIn(await handle(send("POST", BASE, { ...VERSION, "upload-length": "1" })));
    const path = `${BASE}${id}`;
    const delivering = patch(handle, path, 0, "a");
    await vi.waitFor(() => expect(onComplete).toHaveBeenCalledOnce());
    const waiting = Array.from({ length: MAX_WAITING_COUNT }, () => handle(send("HEAD", path, VERSION)));
    expect((await handle(send("HEAD", path, VERSION))).status).toBe(503);
    resolve();
    expect((await delivering).status).toBe(204);
    for (const head of await Promise.all(waiting)) expect(head.headers.get("upload-offset")).toBe("1");
    expect(heldCount()).toBe(0);
  });

  test("releasing twice does nothing, and other uploads and places are apart", async () => {
    const one = await takeOver("place", "one");
    const others = await Promise.all([takeOver("place", "two"), takeOver("elsewhere", "one")]);
    expect([one.signal.aborted, heldCount()]).toEqual([false, 3]);
    for (const hold of [one, one, ...others]) hold.release();
    expect(heldCount()).toBe(0);
  });
});
