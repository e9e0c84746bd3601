import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SinkFile } from "../receive/sink.ts";
import { diskSink } from "./disk-sink.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tailrace-sink-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const info = (id: string, name?: string): { id: string; name?: string; type: string } => ({
  id,
  type: "text/plain",
  ...(name === undefined ? {} : { name }),
});
const names = async (): Promise<string[]> => (await readdir(folder)).toSorted();
const descriptors = async (): Promise<number> => (await readdir("/proc/self/fd")).length;

async function keep(
  file: SinkFile,
  ...chunks: readonly (string | Uint8Array)[]
): Promise<{ key: string; path?: string | undefined }> {
  let bytes = 0;
  for (const chunk of chunks) {
    const content = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    bytes += content.byteLength;
    await file.write(content);
  }
  await file.end?.();
  return file.commit({ bytes });
}

describe("diskSink()", () => {
  test("diskSink() keeps a file under its id, and shows nothing of it before the commit", async () => {
    const sink = diskSink(path.join(folder, "a/b"));
    const file = await sink.open(info("u1", "x.txt"));
    await file.write(Buffer.from("hel"));
    expect(await readdir(path.join(folder, "a/b"))).toEqual([expect.stringMatching(/^\.incoming-[0-9a-f-]{36}$/)]);
    const stored = await keep(file, "lo");
    expect(stored).toEqual({ key: "u1", path: path.join(folder, "a/b/u1") });
    expect(await readdir(path.join(folder, "a/b"))).toEqual(["u1"]);
    expect(await readFile(stored.path as string, "utf8")).toBe("hello");
    expect((await stat(stored.path as string)).mode & 0o777).toBe(0o600);
  });

  test.each([1, 1_000, 65_536, 524_287, 524_288, 524_289, 3_000_000])(
    "diskSink() keeps chunks of %i bytes in their order",
    async (chunkBytes) => {
      const sink = diskSink(folder, { fsync: true, mode: 0o644 });
      const content = randomBytes(chunkBytes === 1 ? 5_000 : 3_500_000);
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < content.length; at += chunkBytes) chunks.push(content.subarray(at, at + chunkBytes));
      const stored = await keep(await sink.open(info("u")), ...chunks);
      const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
      expect(hash(await readFile(stored.path as string))).toBe(hash(content));
      expect((await stat(stored.path as string)).mode & 0o777).toBe(0o644);
    },
  );

  test("diskSink() holds the sender back once two portions wait", async () => {
    const file = await diskSink(folder).open(info("u"));
    const half = new Uint8Array(262_144);
    const answers = [1, 2, 3, 4].map(() => file.write(half));
    // The first two are a portion that is being written, the next two fill the one behind it.
    expect(answers.map((answer) => answer === undefined)).toEqual([true, true, true, false]);
    await answers[3];
    expect((await keep(file)).path).toBeDefined();
    expect((await stat(path.join(folder, "u"))).size).toBe(1_048_576);
  });

  test("diskSink() by name numbers what is taken and replaces nothing, not even a link or a folder", async () => {
    const sink = diskSink(folder, { naming: "name" });
    await symlink("/nowhere", path.join(folder, "a (2).txt"));
    await mkdir(path.join(folder, "a (3).txt"));
    await keep(await sink.open(info("u1", "../a.txt")), "1");
    await keep(await sink.open(info("u2", "a.txt")), "2");
    expect((await keep(await sink.open(info("u3")), "3")).key).toBe("u3");
    expect(await names()).toEqual(["a (2).txt", "a (3).txt", "a (4).txt", "a.txt", "u3"]);
    expect(await readFile(path.join(folder, "a.txt"), "utf8")).toBe("1");
    expect(await readFile(path.join(folder, "a (4).txt"), "utf8")).toBe("2");
  });

  test("diskSink() by name gives every one of many that come together a name of its own", async () => {
    const sink = diskSink(folder, { naming: "name" });
    const kept = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => keep(await sink.open(info(`u${n}`, "a")), String(n))),
    );
    expect(new Set(kept.map(({ key }) => key)).size).toBe(20);
    expect((await names()).length).toBe(20);
  });

  test("diskSink() replaces no file of an id that is there", async () => {
    await writeFile(path.join(folder, "u"), "old");
    const stored = await keep(await diskSink(folder).open(info("u")), "new");
    expect(stored.key).toBe("u (2)");
    expect(await readFile(path.join(folder, "u"), "utf8")).toBe("old");
  });

  test.each(["../u", "", "a/b", "a\0", ".", "x".repeat(65)])("diskSink() refuses the id %j", async (id) => {
    await expect(diskSink(folder).open(info(id))).rejects.toMatchObject({ code: "input_invalid" });
    expect(await names()).toEqual([]);
  });

  test.each(["at once", "after a write", "while it writes", "after its end", "after its commit"])(
    "abort() leaves neither a file nor a descriptor: %s",
    async (moment) => {
      const before = await descriptors();
      const file = await diskSink(folder).open(info("u"));
      const chunk = new Uint8Array(600_000);
      if (moment !== "at once") await file.write(chunk);
      const write = async (): Promise<void> => file.write(chunk);
      const underWay = Promise.allSettled(moment === "while it writes" ? [write(), write()] : []);
      if (moment === "after its end") await file.end?.();
      if (moment === "after its commit") await file.commit({ bytes: 600_000 });
      await file.abort();
      await file.abort();
      await underWay;
      expect(await names()).toEqual([]);
      expect(await descriptors()).toBe(before);
      await expect(Promise.resolve().then(() => file.commit({ bytes: 0 }))).rejects.toMatchObject({ code: "closed" });
      expect(await names()).toEqual([]);
    },
  );

  test("abort() while the commit is under way leaves nothing", async () => {
    const file = await diskSink(folder).open(info("u"));
    await file.write(Buffer.from("x"));
    const committed = file.commit({ bytes: 1 });
    await Promise.all([file.abort(), committed.catch(() => undefined)]);
    expect(await names()).toEqual([]);
  });

  test("diskSink() tells that a folder cannot be made, and tries again with the next file", async () => {
    const blocked = path.join(folder, "file");
    await writeFile(blocked, "");
    const sink = diskSink(path.join(blocked, "sub"));
    await expect(sink.open(info("u"))).rejects.toMatchObject({ code: "store_unavailable", status: 503 });
    await rm(blocked);
    expect((await keep(await sink.open(info("u")), "x")).key).toBe("u");
  });

  test("sweep() removes what is old and unfinished, and nothing else", async () => {
    const old = new Date(Date.now() - 7_200_000);
    const put = async (name: string, date?: Date): Promise<void> => {
      await writeFile(path.join(folder, name), "x");
      if (date !== undefined) await utimes(path.join(folder, name), date, date);
    };
    await put(".incoming-dead", old);
    await put(".incoming-young");
    await put("kept", old);
    await put(".incoming", old);
    const sink = diskSink(folder, { maxAgeMs: 3_600_000 });
    expect(await sink.sweep()).toBe(1);
    expect(await names()).toEqual([".incoming", ".incoming-young", "kept"]);
    expect(await diskSink(path.join(folder, "none")).sweep()).toBe(0);
  });

  test("the first file sweeps the folder, and no sweep takes a file that is being written", async () => {
    await writeFile(path.join(folder, ".incoming-dead"), "x");
    await utimes(path.join(folder, ".incoming-dead"), 1, 1);
    const sink = diskSink(folder, { maxAgeMs: 1 });
    const file = await sink.open(info("u"));
    await vi.waitFor(async () => expect((await names()).length).toBe(1));
    for (const name of await names()) await utimes(path.join(folder, name), 1, 1);
    expect(await sink.sweep()).toBe(0);
    expect((await keep(file, "x")).key).toBe("u");
  });
});
