// Final uploads whose parts are still on their way (`concatenation-unfinished`).

import { beforeEach, describe, expect, test, vi } from "vitest";
import { memoryUploads } from "./memory-uploads.ts";
import {
  BASE,
  type Handle,
  HandBody,
  handlerOf,
  idIn,
  send,
  type SentHeaders,
  storedText,
} from "./sent.test-support.ts";
import type { UploadStorage } from "./storage.ts";
import { heldCount } from "./takeover.ts";
import { tus } from "./tus.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const TYPE = { "content-type": "application/offset+octet-stream" };
const AWAITED = Symbol.for("tailrace.uploads.awaited.1");

const post = (handle: Handle, headers: SentHeaders): Promise<Response> =>
  handle(send("POST", BASE, { ...VERSION, ...headers }));
const head = (handle: Handle, id: string): Promise<Response> => handle(send("HEAD", `${BASE}${id}`, VERSION));
const patch = (handle: Handle, id: string, offset: number, body: string, more: SentHeaders = {}): Promise<Response> =>
  handle(send("PATCH", `${BASE}${id}`, { ...VERSION, ...TYPE, "upload-offset": String(offset), ...more }, body));
const part = async (handle: Handle, length: string | null): Promise<string> =>
  idIn(
    await post(handle, {
      "upload-concat": "partial",
      ...(length === null ? { "upload-defer-length": "1" } : { "upload-length": length }),
    }),
  );
const final = (...ids: readonly string[]): SentHeaders => ({
  "upload-concat": `final;${ids.map((id) => BASE + id).join(" ")}`,
});
const told = ({ status, headers }: Response): (number | string | null)[] => [
  status,
  headers.get("upload-offset"),
  headers.get("upload-length"),
  headers.get("upload-defer-length"),
];
/** As after a restart: nobody remembers who waits. */
const forget = (): void => (globalThis as { [AWAITED]?: Map<string, unknown> })[AWAITED]?.clear();

beforeEach(forget);

describe("a final upload of unfinished parts", () => {
  test("waits without an offset, is joined with the last byte of its parts, and delivered once", async () => {
    const delivered: string[] = [];
    const { handle, storage } = handlerOf(tus, {
      async onComplete(upload) {
        delivered.push(await storedText(storage, upload.id));
      },
    });
    const [one, two] = [await part(handle, "5"), await part(handle, "6")];
    await patch(handle, one, 0, "hel");
    const made = await post(handle, final(one, two));
    const id = idIn(made);
    expect(told(made)).toEqual([201, null, null, null]);
    expect(told(await head(handle, id))).toEqual([200, null, "11", null]);
    expect((await patch(handle, id, 0, "x")).status).toBe(403);
    await patch(handle, two, 0, " world");
    expect(told(await head(handle, id))).toEqual([200, null, "11", null]);
    expect(delivered).toEqual([]);
    expect(told(await patch(handle, one, 3, "lo"))[0]).toBe(204);
    expect(delivered).toEqual(["hello world"]);
    const { headers } = await head(handle, id);
    expect([headers.get("upload-offset"), headers.get("upload-length"), headers.get("upload-concat")]).toEqual([
      "11",
      "11",
      final(one, two)["upload-concat"],
    ]);
    expect([(await head(handle, one)).status, (await head(handle, two)).status]).toEqual([404, 404]);
    expect([delivered.length, heldCount()]).toEqual([1, 0]);
  });

  test("has a length once all parts have one", async () => {
    const { handle, storage } = handlerOf(tus);
    const [one, two] = [await part(handle, "1"), await part(handle, null)];
    const id = idIn(await post(handle, final(two, one, two)));
    await patch(handle, one, 0, "!");
    await patch(handle, two, 0, "ab");
    expect(told(await head(handle, id))).toEqual([200, null, null, null]);
    await patch(handle, two, 2, "", { "upload-length": "2" });
    expect(told(await head(handle, id))).toEqual([200, "5", "5", null]);
    expect(await storedText(storage, id)).toBe("ab!ab");
  });

  test("neither its creation nor a question about it ends an append to a part", async () => {
    const { handle, storage } = handlerOf(tus);
    const one = await part(handle, "6");
    const body = new HandBody();
    body.give("abc");
    const headers = { ...VERSION, ...TYPE, "upload-offset": "0" };
    const appending = handle(send("PATCH", `${BASE}${one}`, headers, body.stream));
    await vi.waitFor(async () => expect((await storage.head(one))?.offset).toBe(3));
    const id = idIn(await post(handle, final(one)));
    await head(handle, id);
    body.give("def");
    body.end();
    expect((await appending).status).toBe(204);
    expect(await storedText(storage, id)).toBe("abcdef");
  });

  test("is joined when its sender asks, where a restart came between", async () => {
    const onComplete = vi.fn();
    const { handle, storage } = handlerOf(tus, { onComplete });
    const one = await part(handle, "3");
    const id = idIn(await post(handle, final(one)));
    forget();
    await patch(handle, one, 0, "abc");
    expect(onComplete).not.toHaveBeenCalled();
    expect(told(await head(handle, id))).toEqual([200, "3", "3", null]);
    expect([onComplete.mock.calls.length, await storedText(storage, id)]).toEqual([1, "abc"]);
  });

  test("goes on from where a crash cut the joining", async () => {
    const memory = memoryUploads();
    let fault: Error | undefined = new Error("crash");
    const storage: UploadStorage = {
      ...memory,
      async *read(id, offset) {
        for await (const chunk of memory.read(id, offset)) {
          yield chunk.slice(0, 2);
          if (fault !== undefined) throw fault;
          yield chunk.slice(2);
        }
      },
    };
    const onError = vi.fn();
    const { handle } = handlerOf(tus, { storage, onError });
    const [one, two] = [await part(handle, "3"), await part(handle, "3")];
    const id = idIn(await post(handle, final(one, two)));
    await patch(handle, one, 0, "abc");
    expect((await patch(handle, two, 0, "def")).status).toBe(204); // of the part nothing is wrong
    expect([onError.mock.calls, (await memory.head(id))?.offset]).toEqual([[[fault]], 2]);
    fault = undefined;
    expect(told(await head(handle, id))).toEqual([200, "6", "6", null]);
    expect(await storedText(memory, id)).toBe("abcdef");
  });

  test("is gone once a part of it is", async () => {
    const { handle } = handlerOf(tus);
    const one = await part(handle, "3");
    const id = idIn(await post(handle, final(one)));
    await handle(send("DELETE", `${BASE}${one}`, VERSION));
    expect((await head(handle, id)).status).toBe(410);
  });

  test("is no larger than is allowed, whether that shows at once or later", async () => {
    const { handle, storage } = handlerOf(tus, { maxBytes: 6 });
    const [one, two, three] = [await part(handle, "3"), await part(handle, null), await part(handle, "4")];
    expect((await post(handle, final(one, three))).status).toBe(413);
    const exact = idIn(await post(handle, final(one, two)));
    const over = idIn(await post(handle, final(three, two)));
    await patch(handle, three, 0, "ghij");
    await patch(handle, two, 0, "def", { "upload-length": "3" });
    expect(await storage.head(over)).toBeUndefined();
    await patch(handle, one, 0, "abc");
    expect(await storedText(storage, exact)).toBe("abcdef");
  });

  test("the ninth that waits for one part is joined by itself, the first when its sender asks", async () => {
    const { handle, storage } = handlerOf(tus);
    const [one, two] = [await part(handle, "1"), await part(handle, "1")];
    const ids: string[] = [];
    for (let index = 0; index < 9; index++) ids.push(idIn(await post(handle, final(one, two))));
    const of = (globalThis as { [AWAITED]?: Map<string, readonly string[]> })[AWAITED]!;
    expect([...of.values()]).toEqual([ids.slice(1), ids.slice(1)]);
    await patch(handle, one, 0, "a");
    await patch(handle, two, 0, "b");
    // The parts belong to whoever joins them first.
    expect(await storedText(storage, ids[1]!)).toBe("ab");
    expect([(await head(handle, ids[8]!)).status, of.size]).toEqual([410, 0]);
  });
});
