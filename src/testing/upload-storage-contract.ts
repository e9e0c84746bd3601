// The contract of upload storage as tests, one per rule of docs/resumable-uploads.md, for any storage and any test runner.

import { TailraceError } from "../errors.ts";
import type { NewUpload, UploadStorage } from "../receive/resumable/storage.ts";
import { newUploadId } from "../receive/resumable/upload-id.ts";
import { equal, isTrue, rejects } from "./expect.ts";

/** How the storages to be checked are made: one over a place that is new and empty, or over the `place` of an earlier one. */
export interface UploadStorageMaker {
  make(place: string): Promise<UploadStorage>;
  /** Whether what one object stored is there for another over the same place. */
  readonly isShared: boolean;
}

/** One rule: `name` begins with its number in the text. */
export interface UploadStorageCase {
  readonly name: string;
  run(ground: UploadStorageGround): Promise<void>;
}

export interface UploadStorageGround {
  readonly storage: UploadStorage;
  /** Another object over the same place; undefined where a place cannot be shared. */
  readonly second: () => Promise<UploadStorage | undefined>;
}

const CREATED_MS = 1_800_000_000_000;
const EXPIRES_MS = CREATED_MS + 1_000;

function upload(changes: Partial<NewUpload> = {}): NewUpload {
  const base = { metadata: {}, notes: {}, isPartial: false, createdAtMs: CREATED_MS, expiresAtMs: EXPIRES_MS };
  return { id: newUploadId(), ...base, ...changes };
}

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function* brokenAfter(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  yield* chunksOf(...texts);
  throw new TailraceError("aborted", "The sender left.");
}

async function textOf(storage: UploadStorage, id: string, offset?: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of storage.read(id, offset)) text += decoder.decode(chunk, { stream: true });
  return text;
}

/** Every rule as a case; see {@link checkUploadStorageRule}. */
export const uploadStorageContract: readonly UploadStorageCase[] = [
  {
    name: "U1 create makes an empty upload that head gives as it was created",
    async run({ storage }) {
      const made = upload({ lengthBytes: 10, metadata: { filename: "ü", ["__proto__"]: "x" }, notes: { a: "b" } });
      await storage.create(made);
      const head = await storage.head(made.id);
      isTrue(head !== undefined, "it is there");
      for (const [name, value] of Object.entries({
        ...made,
        offset: 0,
        phase: "receiving",
        headers: {},
        hasBytes: true,
      })) {
        equal(head?.[name as keyof typeof head], value, name);
      }
      const unknownLength = upload();
      await storage.create(unknownLength);
      equal((await storage.head(unknownLength.id))?.lengthBytes, undefined, "length");
      await rejects(storage.create(made), "stream_exists", "a second create");
    },
  },
  {
    name: "U2 an upload that is not there is not found, and so is what is no id of ours",
    async run({ storage }) {
      for (const id of [
        newUploadId(),
        "",
        "../x",
        "a/b",
        "A".repeat(32),
        `${newUploadId()}\u0000`,
        "x".repeat(5_000),
      ]) {
        equal(await storage.head(id), undefined, "head");
        equal(await storage.remove(id), false, "remove");
        await rejects(storage.append(id, 0, chunksOf("x")), "not_found", "append");
        await rejects(storage.setLength(id, 1), "not_found", "setLength");
        await rejects(storage.finish(id, "complete"), "not_found", "finish");
        await rejects(storage.dropBytes(id), "not_found", "dropBytes");
        await rejects(textOf(storage, id), "not_found", "read");
        await rejects(storage.concat(upload(), [id]), "not_found", "concat");
      }
    },
  },
  {
    name: "U3 append stores at the end, tells how far, and refuses any other place",
    async run({ storage }) {
      const { id } = upload();
      await storage.create(upload({ id }));
      const told: number[] = [];
      equal(
        await storage.append(id, 0, chunksOf("ab", "", "c"), { onStored: (offset) => told.push(offset) }),
        3,
        "offset",
      );
      equal(told.at(-1), 3, "the last that was told");
      isTrue(
        told.every((offset, index) => offset > (told[index - 1] ?? -1)),
        "what is told grows",
      );
      for (const offset of [0, 2, 4]) {
        equal(
          (await rejects(storage.append(id, offset, chunksOf("x")), "conflict", "elsewhere"))["offset"],
          3,
          "details",
        );
      }
      equal(await storage.append(id, 3, chunksOf()), 3, "nothing");
      equal(await storage.append(id, 3, chunksOf("d")), 4, "offset");
      equal([(await storage.head(id))?.offset, await textOf(storage, id)], [4, "abcd"], "what is there");
      equal(await textOf(storage, id, 2), "cd", "read from 2");
    },
  },
  {
    name: "U4 when the chunks break off, what came before is kept and the error is given on",
    async run({ storage }) {
      const { id } = upload();
      await storage.create(upload({ id }));
      await rejects(storage.append(id, 0, brokenAfter("abc", "de")), "aborted", "append");
      equal([(await storage.head(id))?.offset, await textOf(storage, id)], [5, "abcde"], "what is there");
      equal(await storage.append(id, 5, chunksOf("f")), 6, "offset");
    },
  },
  {
    name: "U5 with a check the append is all or nothing",
    async run({ storage }) {
      const { id } = upload();
      await storage.create(upload({ id }));
      await storage.append(id, 0, chunksOf("ab"));
      const refuse = (): void => {
        throw new TailraceError("digest_mismatch", "No.");
      };
      await rejects(storage.append(id, 2, chunksOf("x", "y"), { check: refuse }), "digest_mismatch", "a failed check");
      equal((await storage.head(id))?.offset, 2, "offset");
      await rejects(storage.append(id, 2, brokenAfter("x"), { check: () => undefined }), "aborted", "broken off");
      equal((await storage.head(id))?.offset, 2, "offset");
      equal(
        await storage.append(id, 2, chunksOf("c", "d"), { check: async () => undefined }),
        4,
        "a check that passes",
      );
      equal(await textOf(storage, id), "abcd", "what is there");
    },
  },
  {
    name: "U6 the length is set once",
    async run({ storage }) {
      const { id } = upload();
      await storage.create(upload({ id }));
      await storage.setLength(id, 5);
      await storage.setLength(id, 5);
      await rejects(storage.setLength(id, 6), "conflict", "another length");
      equal((await storage.head(id))?.lengthBytes, 5, "length");
    },
  },
  {
    name: "U7 finish ends the appending, fixes the length and keeps headers",
    async run({ storage }) {
      const { id } = upload();
      await storage.create(upload({ id }));
      await storage.append(id, 0, chunksOf("abc"));
      await storage.finish(id, "completing");
      await rejects(storage.append(id, 3, chunksOf("d")), "conflict", "append");
      await storage.finish(id, "complete", { "x-id": "7" });
      const head = await storage.head(id);
      equal([head?.phase, head?.lengthBytes, head?.headers], ["complete", 3, { "x-id": "7" }], "head");
      equal(await textOf(storage, id), "abc", "what is there");
    },
  },
  {
    name: "U8 dropBytes takes the bytes of a finished upload, and leaves what is known of it",
    async run({ storage }) {
      const { id } = upload();
      await storage.create(upload({ id }));
      await storage.append(id, 0, chunksOf("abc"));
      await storage.dropBytes(id);
      equal(await textOf(storage, id), "abc", "an upload that is not finished keeps its bytes");
      await storage.finish(id, "completing");
      await storage.dropBytes(id);
      const head = await storage.head(id);
      equal([head?.offset, head?.lengthBytes, head?.hasBytes], [3, 3, false], "head");
      await rejects(textOf(storage, id), "not_found", "read");
      await storage.finish(id, "complete");
      equal((await storage.head(id))?.offset, 3, "offset");
    },
  },
  {
    name: "U9 concat makes an upload of others, in their order, and leaves them",
    async run({ storage }) {
      const parts = [upload({ isPartial: true }), upload({ isPartial: true }), upload({ isPartial: true })];
      for (const [index, part] of parts.entries()) {
        await storage.create(part);
        await storage.append(part.id, 0, chunksOf("abc".slice(0, index), String(index)));
      }
      const [first, second, third] = parts.map((part) => part.id);
      const whole = upload();
      equal(await storage.concat(whole, [third!, first!, second!, first!]), 7, "length");
      equal(
        [await textOf(storage, whole.id), (await storage.head(whole.id))?.lengthBytes],
        ["ab20a10", 7],
        "the whole",
      );
      equal(await textOf(storage, third!), "ab2", "a part");
    },
  },
  {
    name: "U10 a removed upload is not there",
    async run({ storage }) {
      const { id } = upload();
      await storage.create(upload({ id }));
      await storage.append(id, 0, chunksOf("abc"));
      equal([await storage.remove(id), await storage.remove(id)], [true, false], "remove");
      equal(await storage.head(id), undefined, "head");
    },
  },
  {
    name: "U11 an append whose upload is removed under way does not succeed",
    async run({ storage }) {
      const { id } = upload();
      await storage.create(upload({ id }));
      const chunks = async function* (): AsyncGenerator<Uint8Array> {
        yield* chunksOf("a");
        await storage.remove(id);
        yield* chunksOf("b");
      };
      await rejects(storage.append(id, 0, chunks()), "not_found", "append");
      equal(await storage.head(id), undefined, "head");
    },
  },
  {
    name: "U12 sweep takes what has expired and is not complete, at its very moment, and gives it",
    async run({ storage }) {
      const ids = Array.from({ length: 5 }, () => newUploadId());
      const [idle, completing, complete, dropped, later] = ids as [string, string, string, string, string];
      for (const id of ids) {
        await storage.create(upload({ id, expiresAtMs: id === later ? EXPIRES_MS + 10_000 : EXPIRES_MS }));
        await storage.append(id, 0, chunksOf("abc"));
      }
      for (const id of [completing, complete, dropped]) await storage.finish(id, "completing");
      await storage.dropBytes(dropped);
      for (const id of [complete, dropped]) await storage.finish(id, "complete");
      equal((await storage.sweep(EXPIRES_MS - 1)).length, 0, "a moment before");
      const swept = await storage.sweep(EXPIRES_MS);
      equal(
        swept.map(({ id, offset }) => [id, offset]),
        [[idle, 3]],
        "what was removed",
      );
      equal([await storage.head(idle), await storage.head(dropped)], [undefined, undefined], "heads");
      equal(await textOf(storage, complete), "abc", "a complete upload");
      equal((await storage.sweep(EXPIRES_MS + 999)).length, 0, "an upload under delivery has as long again");
      equal(
        (await storage.sweep(EXPIRES_MS + 1_000)).map(({ id }) => id),
        [completing],
        "then it goes",
      );
      equal((await storage.head(later))?.offset, 3, "what has not expired");
    },
  },
  {
    name: "U13 another object over the same place sees the same and has the same name for it",
    async run({ storage, second }) {
      const other = await second();
      if (other === undefined) return;
      const { id } = upload();
      await storage.create(upload({ id }));
      await storage.append(id, 0, chunksOf("abc"));
      equal([other.place, (await other.head(id))?.offset], [storage.place, 3], "the other");
      equal(await other.append(id, 3, chunksOf("d")), 4, "append by the other");
      equal(await textOf(storage, id), "abcd", "what is there");
    },
  },
];

/** Tries one rule on storage from `maker`. @throws if the storage breaks the rule */
export async function checkUploadStorageRule(rule: UploadStorageCase, maker: UploadStorageMaker): Promise<void> {
  const place = crypto.randomUUID();
  const storage = await maker.make(place);
  await rule.run({ storage, second: async () => (maker.isShared ? maker.make(place) : undefined) });
}
