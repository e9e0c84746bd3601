import { afterEach, describe, expect, test, vi } from "vitest";
import { until } from "./scripted-chat.test-support.ts";
import { bodyOf, handBody, scriptedFetch, sseResponse } from "./scripted-fetch.test-support.ts";
import { StreamView, type StreamViewOptions } from "./stream-view.ts";

const END = 'event: end\ndata: {"reason":"completed"}\n\n';
const FAST = { minDelayMs: 1, maxDelayMs: 2 };
const events = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `id: ${from + index}\ndata: ${from + index}\n\n`).join("");

afterEach(() => {
  vi.unstubAllGlobals();
});

function frames(): { run: () => void; pending: () => number } {
  const queue: (() => void)[] = [];
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => queue.push(run));
  vi.stubGlobal("cancelAnimationFrame", () => queue.splice(0));
  return { run: () => queue.splice(0).forEach((step) => step()), pending: () => queue.length };
}

async function ended(options: StreamViewOptions<number>): Promise<StreamView<number>> {
  const view = new StreamView<number>("/s", { ...FAST, ...options });
  view.attach();
  await until(view.subscribe, () => ["done", "failed"].includes(view.getSnapshot().status));
  return view;
}

describe("StreamView", () => {
  test("the window keeps maxItems, at the limit and one past it, and counts what it dropped", async () => {
    const { fetch } = scriptedFetch((call) => sseResponse(events(0, call.url === "/s" ? 5 : 0) + END));
    const at = (await ended({ fetch, maxItems: 5 })).getSnapshot();
    expect([at.items, at.dropped]).toEqual([[0, 1, 2, 3, 4], 0]);
    const past = (await ended({ fetch, maxItems: 4 })).getSnapshot();
    expect([past.items, past.dropped, past.last?.id]).toEqual([[1, 2, 3, 4], 1, "4"]);
    expect(past.events.map((event) => event.id)).toEqual(["1", "2", "3", "4"]);
  });

  test("reduce folds every item, also those that the window does not keep", async () => {
    const { fetch } = scriptedFetch(() => sseResponse(events(1, 11) + END));
    const reduce = (sum: number, item: { readonly data: number }): number => sum + item.data;
    const view = new StreamView<number, number>("/s", { ...FAST, fetch, maxItems: 0, reduce, initial: 0 });
    expect(view.getServerSnapshot().value).toBe(0);
    view.attach();
    await until(view.subscribe, () => view.getSnapshot().status === "done");
    expect(view.getSnapshot()).toMatchObject({ value: 55, items: [], dropped: 10 });
  });

  test("items are committed once per frame, a replay as one, and the end at once", async () => {
    const { run, pending } = frames();
    const body = handBody();
    const { fetch } = scriptedFetch(() => sseResponse(body.stream));
    const view = new StreamView<number>("/s", { fetch, maxQueuedItems: 10 });
    let commits = 0;
    view.subscribe(() => (commits += 1));
    view.attach();
    await until(view.subscribe, () => view.getSnapshot().status === "open");
    commits = 0;
    body.write(": replay\n\n");
    for (let part = 0; part < 5; part += 1) body.write(events(part * 10, part * 10 + 10));
    body.write(": live\n\n");
    await vi.waitFor(() => expect(pending()).toBe(1));
    expect(commits).toBe(0);
    run();
    expect([commits, view.getSnapshot().items.length]).toEqual([1, 50]);
    for (let index = 50; index < 80; index += 1) body.write(events(index, index + 1));
    body.write(END);
    await until(view.subscribe, () => view.getSnapshot().status === "done");
    expect([commits, view.getSnapshot().items.length, pending()]).toEqual([2, 80, 0]);
  });

  test("a gap is told apart from the items", async () => {
    const { fetch } = scriptedFetch(() =>
      sseResponse(`event: gap\ndata: {"asked":"a","earliest":"b","latest":"c"}\n\n${END}`),
    );
    const now = (await ended({ fetch })).getSnapshot();
    expect(now).toMatchObject({ items: [], gap: { earliest: "b" }, last: null });
  });

  test("a failure is in the snapshot, and reconnect() tries again from the cursor", async () => {
    const { fetch, calls } = scriptedFetch((_, attempt) =>
      attempt === 1
        ? sseResponse(events(0, 2) + 'event: error\ndata: {"reason":"failed"}\n\n')
        : sseResponse(events(2, 3) + END),
    );
    const view = await ended({ fetch });
    expect(view.getSnapshot()).toMatchObject({
      status: "failed",
      error: { code: "source_failed" },
      end: { reason: "failed" },
    });
    view.reconnect();
    await until(view.subscribe, () => view.getSnapshot().status === "done");
    expect([view.getSnapshot().items, calls[1]?.cursor]).toEqual([[0, 1, 2], "1"]);
  });

  test("close() leaves and stays away; attaching again after a leave comes back from the cursor", async () => {
    const { fetch, calls } = scriptedFetch(() => sseResponse(bodyOf([events(0, 1)], "open")));
    const view = new StreamView<number>("/s", { fetch });
    const leave = view.attach();
    await until(view.subscribe, () => view.getSnapshot().items.length === 1);
    leave();
    expect(calls[0]?.signal?.aborted).toBe(true);
    const again = view.attach();
    await until(view.subscribe, () => calls.length === 2 && view.getSnapshot().status === "open");
    expect(calls[1]?.cursor).toBe("0");
    view.close();
    expect(view.getSnapshot().status).toBe("done");
    again();
    view.attach();
    await Promise.resolve();
    await Promise.resolve();
    expect(calls.length).toBe(2);
  });

  test("leaving in the middle of a replay loses nothing of it", async () => {
    const body = handBody();
    const { fetch, calls } = scriptedFetch((_, attempt) =>
      attempt === 1 ? sseResponse(body.stream) : sseResponse(`: replay\n\n${events(0, 5)}: live\n\n${END}`),
    );
    const view = new StreamView<number>("/s", { fetch });
    const leave = view.attach();
    await until(view.subscribe, () => view.getSnapshot().status === "open");
    body.write(`: replay\n\n${events(0, 3)}`);
    await new Promise((resolve) => setImmediate(resolve));
    leave();
    view.attach();
    await until(view.subscribe, () => view.getSnapshot().status === "done");
    expect([calls[1]?.cursor, view.getSnapshot().items]).toEqual([null, [0, 1, 2, 3, 4]]);
  });

  test("stop() sends DELETE with the headers, and tells when it is refused or does not arrive", async () => {
    const answers = [
      () => new Response(null, { status: 204 }),
      () => new Response(null, { status: 403 }),
      () => Promise.reject(new TypeError("fetch failed")),
    ];
    const { fetch, calls } = scriptedFetch((_, attempt) => (answers[attempt - 1] as () => Response)());
    const view = new StreamView<number>("/s", { fetch, headers: () => ({ authorization: "x" }), stopUrl: "/stop" });
    expect(await view.stop()).toBe(true);
    expect(calls[0]).toMatchObject({ method: "DELETE", url: "/stop" });
    expect(calls[0]?.headers.get("authorization")).toBe("x");
    expect(await view.stop()).toBe(false);
    expect(view.getSnapshot().error?.status).toBe(403);
    expect(await view.stop()).toBe(false);
    expect(view.getSnapshot().error?.code).toBe("connection_failed");
  });

  test("without an address it is idle", async () => {
    const { fetch, calls } = scriptedFetch(() => sseResponse(END));
    const view = new StreamView<number>(null, { fetch });
    view.attach();
    await Promise.resolve();
    expect([view.getSnapshot().status, await view.stop(), calls.length]).toEqual(["idle", false, 0]);
  });
});
