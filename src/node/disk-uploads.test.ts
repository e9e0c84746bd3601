// Uploads on the disk: what crashes, hostile ids, cut connections and other processes leave, and what they cannot do.

import fc from "fast-check";
import { mkdtemp, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BASE, handlerOf, idIn, send } from "../receive/resumable/sent.test-support.ts";
import type { NewUpload, UploadStorage } from "../receive/resumable/storage.ts";
import { sweepUploads } from "../receive/resumable/sweep.ts";
import { heldCount } from "../receive/resumable/takeover.ts";
import { tus } from "../receive/resumable/tus.ts";
import { newUploadId } from "../receive/resumable/upload-id.ts";
import { closeServer } from "./close-server.ts";
import { diskUploads } from "./disk-uploads.ts";
import { createListener } from "./listener.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const TYPE = { "content-type": "application/offset+octet-stream" };
const DAY_MS = 86_400_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-disk-uploads-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function fresh(changes: Partial<NewUpload> = {}): NewUpload {
  const times = { createdAtMs: Date.now(), expiresAtMs: Date.now() + DAY_MS };
  return { id: newUploadId(), metadata: {}, notes: {}, isPartial: false, ...times, ...changes };
}

async function* pieces(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function openFiles(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}

describe("diskUploads", () => {
  test("hostile ids never reach the disk", async () => {
    const touched: string[] = [];
    const disk = diskUploads(folder);
    const calls = ["head", "append", "remove", "setLength", "finish", "read", "concat", "dropBytes"] as const;
    const watched = Object.fromEntries(
      calls.map((name) => [name, (id: string) => (touched.push(`${name} ${id}`), Promise.resolve(undefined))]),
    );
    const { handle } = handlerOf(tus, { storage: { ...disk, ...watched } as unknown as UploadStorage });
    const id = "0123456789abcdef0123456789abcdef";
    const hostile = [
      "../../etc/passwd",
      "..%2f..%2fetc%2fpasswd",
      "%2e%2e%2fetc%2fpasswd",
      "..%5c..%5cwindows",
      "..\\..\\windows",
      "%00",
      `${id}%00`,
      `${id}.json`,
      `${id}.data`,
      `${id}/`,
      `${id}/../${id}`.replaceAll("/", "%2f"),
      `%30${id.slice(1)}`,
      id.toUpperCase(),
      id.slice(1),
      `${id}0`,
      ` ${id}`,
      `.${id}`,
      "con",
      "a".repeat(5_000),
      "ａ".repeat(32),
      `${id};x`,
      "*",
    ];
    for (const name of hostile) {
      for (const method of ["HEAD", "PATCH", "DELETE"]) {
        const response = await handle(send(method, `${BASE}${name}`, { ...VERSION, ...TYPE, "upload-offset": "0" }));
        expect([name, method, response.status]).toEqual([name, method, 404]);
      }
      const concat = { ...VERSION, "upload-concat": `final;${BASE}${name.replaceAll(" ", "%20")}` };
      if (/^[\x20-\x7e]*$/.test(name)) expect((await handle(send("POST", BASE, concat))).status).toBe(400);
    }
    expect(touched).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
    for (const name of hostile) expect(() => disk.pathOf(name)).toThrow("no upload");
  });

  test("any sequence of appends with cuts gives the right bytes, also for another object in between", async () => {
    const step = fc.record({
      sizes: fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 6 }),
      isCut: fc.boolean(),
      isChecked: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { id } = fresh();
        await diskUploads(folder).create(fresh({ id }));
        const expected: Uint8Array[] = [];
        let seed = 0;
        for (const { sizes, isCut, isChecked } of steps) {
          const parts = sizes.map((size) => new Uint8Array(size).fill(++seed));
          const chunks = (async function* (): AsyncGenerator<Uint8Array> {
            yield* pieces(...parts);
            if (isCut) throw new Error("cut");
          })();
          const storage = diskUploads(folder);
          const offset = (await storage.head(id))!.offset;
          expect(offset).toBe(Buffer.concat(expected).length);
          const check = isChecked ? { check: () => undefined } : {};
          const result = await storage.append(id, offset, chunks, check).catch((error: Error) => error.message);
          if (!isCut || !isChecked) expected.push(...parts);
          expect(result).toBe(isCut ? "cut" : Buffer.concat(expected).length);
        }
        expect(Buffer.concat(expected).equals(await readFile(diskUploads(folder).pathOf(id)))).toBe(true);
        expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("large and many small chunks go through in order, a batch at a time", async () => {
    const storage = diskUploads(folder);
    const { id } = fresh();
    await storage.create(fresh({ id }));
    const parts = Array.from({ length: 3_000 }, (_, index) =>
      new Uint8Array(index % 100 === 0 ? 70_000 : 3).fill(index % 251),
    );
    const offset = await storage.append(id, 0, pieces(...parts));
    expect(offset).toBe(Buffer.concat(parts).length);
    expect(Buffer.concat(parts).equals(await readFile(storage.pathOf(id)))).toBe(true);
  });

  test("the file may be taken away by the application, and is not looked for again", async () => {
    const storage = diskUploads(folder);
    const target = join(folder, "taken.bin");
    const onComplete = vi.fn(({ id }: { readonly id: string }) => rename(storage.pathOf(id), target));
    const { handle } = handlerOf(tus, { storage, onComplete });
    const made = await handle(send("POST", BASE, { ...VERSION, ...TYPE, "upload-length": "3" }, "abc"));
    expect(await readFile(target, "utf8")).toBe("abc");
    const head = await handle(send("HEAD", `${BASE}${idIn(made)}`, VERSION));
    expect([head.status, head.headers.get("upload-offset")]).toEqual([200, "3"]);
    expect(onComplete).toHaveBeenCalledOnce();
  });

  test("sweep removes what a crash left half made once it is a day old, and nothing that is not ours", async () => {
    const storage = diskUploads(folder);
    const live = fresh({ expiresAtMs: Date.now() + 10 * DAY_MS });
    await storage.create(live);
    const orphan = newUploadId();
    const left = [`${orphan}.data`, `${live.id}.1234.tmp`, `${newUploadId()}.json`, "readme.txt"];
    for (const name of left) await writeFile(join(folder, name), name.endsWith(".json") ? "" : "x");
    const before = (await readdir(folder)).length;
    await storage.sweep(Date.now());
    expect((await readdir(folder)).length).toBe(before);
    const old = new Date(Date.now() - DAY_MS - 60_000);
    for (const name of left) await utimes(join(folder, name), old, old);
    await storage.sweep(Date.now());
    expect((await readdir(folder)).toSorted()).toEqual([`${live.id}.data`, `${live.id}.json`, "readme.txt"].toSorted());
  });

  test("a folder that is not there is made by the first upload; a sweep needs none", async () => {
    const storage = diskUploads(join(folder, "a", "b"));
    expect([await storage.sweep(0), await storage.head(newUploadId())]).toEqual([[], undefined]);
    await storage.create(fresh());
    expect((await readdir(join(folder, "a", "b"))).length).toBe(2);
  });

  test("a record that cannot be read, or bytes that are lost, make the upload unknown", async () => {
    const storage = diskUploads(folder);
    const [torn, lost] = [fresh(), fresh()];
    for (const upload of [torn, lost]) await storage.create(upload);
    await truncate(join(folder, `${torn.id}.json`), 20);
    await rm(storage.pathOf(lost.id));
    expect([await storage.head(torn.id), await storage.head(lost.id)]).toEqual([undefined, undefined]);
  });

  test("what the disk refuses is store_unavailable, with its cause", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const storage = diskUploads(join(file, "below"));
    await expect(storage.create(fresh())).rejects.toMatchObject({
      code: "store_unavailable",
      cause: { code: "ENOTDIR" },
    });
    const { handle } = handlerOf(tus, { storage });
    const response = await handle(send("POST", BASE, { ...VERSION, "upload-length": "3" }));
    expect([response.status, await response.text()]).toEqual([503, expect.not.stringContaining(folder)]);
  });

  test("files are for their owner alone", async () => {
    const storage = diskUploads(join(folder, "new"));
    const { id } = fresh();
    await storage.create(fresh({ id }));
    for (const path of [storage.pathOf(id), join(folder, "new", `${id}.json`)]) {
      expect((await stat(path)).mode & 0o077).toBe(0);
    }
  });
});

describe("diskUploads behind a socket", () => {
  let server: Server;
  let storage: ReturnType<typeof diskUploads>;
  beforeEach(async () => {
    storage = diskUploads(folder);
    server = createServer(
      createListener((request) => tus(request, { storage, basePath: BASE, onError: () => undefined })),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => closeServer(server));

  const origin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function created(lengthBytes: number): Promise<string> {
    const headers = { ...VERSION, "upload-length": String(lengthBytes) };
    const response = await fetch(`${origin()}${BASE}`, { method: "POST", headers });
    return idIn(response);
  }

  /** Begins an append on a socket of its own, of which `text` is sent and the rest is not. */
  function beginAppend(id: string, offset: number, declaredBytes: number, text: string): ReturnType<typeof connect> {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const lines = [
      `PATCH ${BASE}${id} HTTP/1.1`,
      "Host: x",
      "Tus-Resumable: 1.0.0",
      "Content-Type: application/offset+octet-stream",
      `Upload-Offset: ${offset}`,
      `Content-Length: ${declaredBytes}`,
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n${text}`);
    socket.on("error", () => undefined);
    return socket;
  }

  const offsetOf = async (id: string): Promise<string | null> =>
    (await fetch(`${origin()}${BASE}${id}`, { method: "HEAD", headers: VERSION })).headers.get("upload-offset");

  test("a hundred connections that break off leave no descriptor open and no upload held", async () => {
    const ids = await Promise.all(Array.from({ length: 100 }, () => created(1_000_000)));
    await offsetOf(ids[0]!);
    const before = await openFiles();
    const sockets = ids.map((id) => beginAppend(id, 0, 900_000, "abc"));
    await vi.waitFor(async () => {
      for (const id of ids) expect((await storage.head(id))?.offset).toBe(3);
    });
    expect(await openFiles()).toBeGreaterThanOrEqual(before + 200); // a socket's two ends, and a file
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(() => expect(heldCount()).toBe(0));
    await vi.waitFor(async () => expect(await openFiles()).toBeLessThanOrEqual(before));
    for (const id of ids) expect((await storage.head(id))?.offset).toBe(3);
  });

  test("a connection that hangs is taken over at once, and told so", async () => {
    const id = await created(9);
    const socket = beginAppend(id, 0, 9, "abc");
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    await vi.waitFor(async () => expect((await storage.head(id))?.offset).toBe(3));
    expect(await offsetOf(id)).toBe("3");
    await vi.waitFor(() => expect(answer).toContain("HTTP/1.1 409 "));
    socket.destroy();
    const rest = { ...VERSION, ...TYPE, "upload-offset": "3" };
    const response = await fetch(`${origin()}${BASE}${id}`, { method: "PATCH", headers: rest, body: "defghi" });
    expect([response.status, await readFile(storage.pathOf(id), "utf8")]).toEqual([204, "abcdefghi"]);
  });

  test("expiry by sweep removes the files", async () => {
    const id = await created(9);
    expect(
      await sweepUploads({ storage, clock: { now: () => Date.now() + 2 * DAY_MS, after: () => () => undefined } }),
    ).toBe(1);
    expect([await offsetOf(id), await readdir(folder)]).toEqual([null, []]);
  });
});
