// When the streams in use are looked at again, and when not.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MAX_KNOWN_STREAMS, RedisChanges, type Standing } from "./redis-changes.ts";
import type { SubscriberEvents } from "./redis-client.ts";
import type { Change } from "./store.ts";

const at = (tail: number): Standing => ({ tail, ended: false, stopRequested: false, released: false });

let events: SubscriberEvents;
let isDeaf: boolean;
let stop: ReturnType<typeof vi.fn<() => void>>;
let look: ReturnType<typeof vi.fn<(name: string) => Promise<Standing | undefined>>>;
let changes: RedisChanges;
let heard: Change[];

beforeEach(async () => {
  vi.useFakeTimers();
  isDeaf = false;
  stop = vi.fn();
  look = vi.fn(async () => at(1));
  heard = [];
  changes = new RedisChanges({
    channel: "c",
    origin: "me",
    look,
    port: {
      async send(_key, [, , message]) {
        if (!isDeaf) events.onMessage(String(message));
      },
      subscribe(_channel, given) {
        events = given;
        return stop;
      },
    },
  });
});
afterEach(() => {
  changes.close();
  vi.useRealTimers();
});

/** Watches, and lets the connection come up. */
async function watching(): Promise<() => void> {
  const unwatch = changes.watch((change) => heard.push(change));
  events.onUp();
  await vi.advanceTimersByTimeAsync(0);
  return unwatch;
}

describe("RedisChanges", () => {
  test("looks at nothing while its echoes come back", async () => {
    await watching();
    changes.saw("s", at(1));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(look).not.toHaveBeenCalled();
  });

  test("looks every second while they do not, tells what has changed, and stops when they do", async () => {
    await watching();
    changes.saw("s", at(1));
    isDeaf = true;
    look.mockResolvedValue(at(2));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(heard).toEqual([expect.objectContaining({ name: "s", tail: "12" })]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(heard).toHaveLength(1);
    isDeaf = false;
    await vi.advanceTimersByTimeAsync(1_000);
    look.mockClear();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(look).not.toHaveBeenCalled();
  });

  test("looks once a broken connection is there again, and tells of a stream that has gone", async () => {
    await watching();
    changes.saw("s", at(1));
    look.mockResolvedValue(undefined);
    events.onDown();
    events.onUp();
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).toEqual([{ name: "s", tail: undefined, ended: true, stopRequested: false }]);
  });

  test("looks once more when the echo comes while it is looking: what it has seen may be older", async () => {
    await watching();
    changes.saw("s", at(1));
    const { promise, resolve } = Promise.withResolvers<Standing>();
    look.mockReturnValueOnce(promise).mockResolvedValue(at(2));
    isDeaf = true;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(look).toHaveBeenCalledTimes(1);
    isDeaf = false;
    events.onUp();
    resolve(at(1));
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).toEqual([expect.objectContaining({ name: "s", tail: "12" })]);
  });

  test("tells what others say once, and its own doing not a second time", async () => {
    await watching();
    events.onMessage("other er 7 a name with spaces");
    events.onMessage("me - 8 mine");
    changes.tell("mine", at(8));
    expect(heard.map(({ name }) => name)).toEqual(["a name with spaces", "mine"]);
    expect(heard[0]).toMatchObject({ tail: "17", ended: true, released: true, stopRequested: false });
  });

  test("tells the items that come with a message, of a stream in use here only", async () => {
    await watching();
    events.onMessage('other - 7 s\n5 \n"a"\n"b"');
    changes.saw("s", at(7));
    events.onMessage('other e 9 s\n7 {"reason":"completed"}\n"c"\n"d"');
    events.onMessage("other e 9 s\n9 ");
    expect(heard.map(({ appended }) => appended)).toEqual([
      undefined,
      {
        before: "17",
        items: [
          { offset: "18", payload: '"c"' },
          { offset: "19", payload: '"d"' },
        ],
        end: { reason: "completed" },
      },
      { before: "19", items: [], end: undefined },
    ]);
  });

  test("tells no items when one of them has line ends of its own: they are read", async () => {
    await watching();
    changes.saw("s", at(7));
    events.onMessage('other - 9 s\n7 \n{\n"a":1}\n"d"');
    expect(heard).toEqual([expect.objectContaining({ name: "s", tail: "19", appended: undefined })]);
  });

  test("keeps MAX_KNOWN_STREAMS in mind, and forgets the one used longest ago", async () => {
    await watching();
    for (let index = 0; index < MAX_KNOWN_STREAMS; index++) changes.saw(`s${index}`, at(1));
    const looked = async (): Promise<string[]> => {
      look.mockClear();
      events.onDown();
      events.onUp();
      await vi.advanceTimersByTimeAsync(0);
      return look.mock.calls.map(([name]) => name);
    };
    const all = await looked();
    expect(new Set(all).size).toBe(MAX_KNOWN_STREAMS);
    changes.saw("one more", at(1));
    const rest = new Set(await looked());
    expect([rest.size, rest.has("s0"), rest.has("one more")]).toEqual([MAX_KNOWN_STREAMS, false, true]);
  });

  test("lets go of its connection and its timer when nobody watches any more", async () => {
    const unwatch = await watching();
    unwatch();
    expect(stop).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
    events.onUp();
    expect(vi.getTimerCount()).toBe(0);
  });
});
