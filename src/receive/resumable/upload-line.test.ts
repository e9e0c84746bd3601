// Several processes, of which each has its own objects over one log and one storage: a request takes an upload over from any of them.

import { afterEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../../log/memory.ts";
import type { Store } from "../../log/store.ts";
import { Streams } from "../../log/streams.ts";
import { createManualClock, type ManualClock } from "../../testing/manual-clock.ts";
import { memoryUploads } from "./memory-uploads.ts";
import { BASE, type Handle, HandBody, handlerOf, idIn, send, storedText } from "./sent.test-support.ts";
import { heldCount } from "./takeover.ts";
import { tus } from "./tus.ts";
import { uploadLine, type UploadLine } from "./upload-line.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const TYPE = { "content-type": "application/offset+octet-stream" };
const ID = "a".repeat(32);

let all: Streams[] = [];
afterEach(async () => {
  for (const streams of all) await streams.close();
  all = [];
});

interface Process {
  readonly streams: Streams;
  readonly line: UploadLine;
}

function processOf(store: Store, clock?: ManualClock): Process {
  const streams = new Streams({ store, clock }, () => undefined);
  all.push(streams);
  return { streams, line: uploadLine(streams) };
}

/** Two processes that take the uploads of one place. */
function cluster(): { readonly handles: readonly [Handle, Handle]; readonly stored: (id: string) => Promise<string> } {
  const store = memoryStore();
  const storage = memoryUploads();
  const handles = ["one", "two"].map((place) => {
    const { line } = processOf(store);
    return handlerOf(tus, { storage: { ...storage, place }, line }).handle;
  });
  return { handles: handles as [Handle, Handle], stored: (id) => storedText(storage, id) };
}

const patch = (handle: Handle, path: string, offset: number, body: string | HandBody): Promise<Response> =>
  handle(
    send(
      "PATCH",
      path,
      { ...VERSION, ...TYPE, "upload-offset": String(offset) },
      typeof body === "string" ? body : body.stream,
    ),
  );

async function create(handle: Handle, length: number): Promise<string> {
  return idIn(await handle(send("POST", BASE, { ...VERSION, "upload-length": String(length) })));
}

describe("uploadLine", () => {
  test("HEAD and PATCH through another process end an append, whose bytes count", async () => {
    const { handles, stored } = cluster();
    const [one, two] = handles;
    const id = await create(one, 9);
    const body = new HandBody();
    const first = patch(one, BASE + id, 0, body);
    body.give("abc");
    await vi.waitFor(async () => expect(await stored(id)).toBe("abc"));
    const head = await two(send("HEAD", BASE + id, VERSION));
    expect(head.headers.get("upload-offset")).toBe("3");
    expect((await first).status).toBe(409);
    body.give("XXX"); // what the old connection still brings
    expect((await patch(two, BASE + id, 3, "def")).status).toBe(204);
    expect((await patch(one, BASE + id, 6, "ghi")).status).toBe(204);
    expect([await stored(id), heldCount()]).toEqual(["abcdefghi", 0]);
  });

  test("of many at once through both, one is stored and none waits for ever", async () => {
    const { handles, stored } = cluster();
    const id = await create(handles[0], 9);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => patch(handles[at % 2]!, BASE + id, 0, "abc")),
    );
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    expect([await stored(id), heldCount()]).toEqual(["abc", 0]);
  });

  test("an upload is delivered once, however many processes are asked for it meanwhile", async () => {
    const store = memoryStore();
    const storage = memoryUploads();
    const { promise, resolve } = Promise.withResolvers<void>();
    const onComplete = vi.fn(() => promise);
    const [one, two] = ["one", "two"].map(
      (place) => handlerOf(tus, { storage: { ...storage, place }, line: processOf(store).line, onComplete }).handle,
    ) as [Handle, Handle];
    const id = await create(one, 1);
    const delivering = patch(one, BASE + id, 0, "a");
    await vi.waitFor(() => expect(onComplete).toHaveBeenCalledOnce());
    const asking = two(send("HEAD", BASE + id, VERSION));
    await vi.waitFor(async () => expect(await entries(store, id)).toBe(4)); // two of the creation, and one of each that is under way
    resolve();
    expect((await delivering).status).toBe(204);
    expect((await asking).headers.get("upload-offset")).toBe("1");
    expect(onComplete).toHaveBeenCalledOnce();
  });

  test("a newer entry waits for the older one, and sends it away", async () => {
    const store = memoryStore();
    const [one, two] = [processOf(store), processOf(store)];
    const first = await one.line.enter(ID);
    expect(first.signal.aborted).toBe(false);
    const entered = vi.fn();
    const second = two.line.enter(ID).then((hold) => {
      entered();
      return hold;
    });
    await vi.waitFor(() => expect(first.signal.aborted).toBe(true));
    expect(entered).not.toHaveBeenCalled();
    first.release();
    first.release();
    const hold = await second;
    expect(hold.signal.aborted).toBe(false);
    hold.release();
  });

  test("other uploads and other prefixes are apart", async () => {
    const { streams, line } = processOf(memoryStore());
    const holds = await Promise.all([
      line.enter(ID),
      line.enter("b".repeat(32)),
      uploadLine(streams, { prefix: "x/" }).enter(ID),
    ]);
    expect(holds.map(({ signal }) => signal.aborted)).toEqual([false, false, false]);
    for (const hold of holds) hold.release();
  });

  test("a process that died is waited for until its lease has run out, and by nobody after that", async () => {
    const clock = createManualClock();
    const store = memoryStore({ clock });
    const life = "upload-line/by/dead";
    const line = `upload-line/to/${ID}`;
    await store.claim(life, "dead", 5_000);
    await store.create(line, { maxItems: 64, ttlMs: 86_400_000 });
    await store.append(line, [JSON.stringify({ hold: "its token", by: life })]);
    const [one, two] = [processOf(store, clock), processOf(store, clock)];
    const entered = vi.fn();
    const entering = one.line.enter(ID).then((hold) => {
      entered();
      return hold;
    });
    await vi.waitFor(async () => expect(await entries(store, ID)).toBe(2));
    clock.advance(4_999);
    expect((await store.head(life))?.end).toBeUndefined();
    expect(entered).not.toHaveBeenCalled();
    clock.advance(1_251); // the next look
    (await entering).release();
    expect(await store.head(life)).toBeUndefined();
    (await two.line.enter(ID)).release();
  });

  test("a process that shuts down gives its uploads up at once", async () => {
    const store = memoryStore();
    const [one, two] = [processOf(store), processOf(store)];
    const first = await one.line.enter(ID);
    const second = two.line.enter(ID);
    await vi.waitFor(() => expect(first.signal.aborted).toBe(true));
    await one.streams.drain();
    (await second).release();
    first.release();
  });

  test("a process in no line any more is in no run and follows nothing, and leaves no stream behind but the line", async () => {
    const { streams, line } = processOf(memoryStore());
    const hold = await line.enter(ID);
    expect(streams.counts).toEqual({ runs: 1, channels: 2 });
    hold.release();
    await vi.waitFor(() => expect(streams.counts).toEqual({ runs: 0, channels: 0 }), { timeout: 5_000 });
    const again = await line.enter(ID);
    again.release();
  });
});

async function entries(store: Store, id: string): Promise<number> {
  const name = `upload-line/to/${id}`;
  const head = await store.head(name);
  if (head === undefined) return 0;
  return (await store.read(name, head.start, { maxItems: 100, maxBytes: 100_000 })).items.length;
}
