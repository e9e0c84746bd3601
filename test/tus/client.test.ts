// The stock client: tus-js-client as it is installed, against a server in a process of its own.

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Upload, type UploadOptions } from "tus-js-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ServerProcess } from "./server-process.ts";

const DATA = randomBytes(12_000_000);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const DIGEST = sha256(DATA);
const KILL_COUNT = process.env["LONG"] === "1" ? 20 : 4;

let folder: string;
let server: ServerProcess;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-tus-"));
  server = new ServerProcess(folder);
  await server.start();
});
afterEach(async () => {
  await server.kill();
  await rm(folder, { recursive: true });
});

/** The package's types do not know the option. */
const IETF: Partial<UploadOptions> = { ...({ protocol: "ietf-draft-05" } as object) };

interface Running {
  readonly upload: Upload;
  readonly done: Promise<void>;
}

function upload(source: Buffer | Readable, options: Partial<UploadOptions> = {}): Running {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const made = new Upload(source as ConstructorParameters<typeof Upload>[0], {
    endpoint: server.endpoint,
    retryDelays: Array.from({ length: 40 }, () => 100),
    metadata: { filename: "größe.bin" },
    ...options,
    onSuccess: () => resolve(),
    onError: reject,
  });
  made.start();
  return { upload: made, done };
}

describe("tus-js-client", () => {
  test.each<[string, Partial<UploadOptions>]>([
    ["in one request", {}],
    ["in chunks", { chunkSize: 1_000_000 }],
    ["with content in the creation", { uploadDataDuringCreation: true }],
    ["with POST in place of PATCH", { overridePatchMethod: true, chunkSize: 5_000_000 }],
    ["in four parts at a time", { parallelUploads: 4 }],
    ["in three parts at a time, in chunks", { parallelUploads: 3, chunkSize: 500_000 }],
    ["by the IETF draft that it knows", IETF],
  ])("uploads %s", async (_what, options) => {
    const complete = server.next("complete");
    await upload(DATA, options).done;
    expect(await complete).toMatchObject({ bytes: DATA.length, sha256: DIGEST });
    // Parts are removed once they are joined.
    expect((await readdir(folder)).length).toBe(2);
  });

  test("uploads a stream whose length comes at the end", async () => {
    const complete = server.next("complete");
    const pieces = Array.from({ length: 24 }, (_, index) => DATA.subarray(index * 500_000, (index + 1) * 500_000));
    await upload(Readable.from(pieces), { uploadLengthDeferred: true, chunkSize: 1_200_000 }).done;
    expect(await complete).toMatchObject({ bytes: DATA.length, sha256: DIGEST });
  });

  test("pauses and resumes from what is stored", async () => {
    const complete = server.next("complete");
    const begun = server.next("stored", ({ offset }) => offset >= 2_000_000);
    const { upload: paused } = upload(DATA, { chunkSize: 1_000_000 });
    await begun;
    await paused.abort();
    const storedBefore = server.reports.filter((report) => report.is === "stored").length;
    const { done, upload: resumed } = upload(DATA, { uploadUrl: paused.url });
    await done;
    expect(resumed.url).toBe(paused.url);
    expect(await complete).toMatchObject({ bytes: DATA.length, sha256: DIGEST });
    const after = server.reports.filter((report) => report.is === "stored").slice(storedBefore);
    expect(after.every(({ offset }) => offset > 2_000_000)).toBe(true);
  });

  test("terminates an upload", async () => {
    const begun = server.next("stored", ({ offset }) => offset >= 1_000_000);
    const { upload: ended } = upload(DATA, { chunkSize: 1_000_000 });
    await begun;
    await ended.abort(true);
    expect(await readdir(folder)).toEqual([]);
  });

  test(
    `resumes after the server was killed, at ${KILL_COUNT} points, and the bytes are right each time`,
    { timeout: 20_000 + KILL_COUNT * 3_000 },
    async () => {
      for (let round = 0; round < KILL_COUNT; round++) {
        const point = Math.floor(Math.random() * (DATA.length - 100_000));
        const complete = server.next("complete");
        const reached = server.next("stored", ({ offset }) => offset >= point);
        // One long request and many short ones in turn: both are cut somewhere.
        const { done } = upload(DATA, round % 2 === 0 ? {} : { chunkSize: 300_000 });
        const { id } = await reached;
        await server.kill();
        const told = Math.max(
          ...server.reports.flatMap((report) => (report.is === "stored" && report.id === id ? [report.offset] : [])),
        );
        const stored = await readFile(join(folder, `${id}.data`));
        expect(stored.length, `point ${point}`).toBeGreaterThanOrEqual(told);
        expect(stored.equals(DATA.subarray(0, stored.length)), `point ${point}`).toBe(true);
        await server.start();
        await done;
        expect(await complete, `point ${point}`).toMatchObject({ id, bytes: DATA.length, sha256: DIGEST });
      }
    },
  );

  test("resumes parallel uploads after the server was killed", { timeout: 20_000 }, async () => {
    const complete = server.next("complete");
    const reached = server.next("stored", ({ offset }) => offset >= 1_500_000);
    const { done } = upload(DATA, { parallelUploads: 4, chunkSize: 400_000 });
    await reached;
    await server.kill();
    await server.start();
    await done;
    expect(await complete).toMatchObject({ bytes: DATA.length, sha256: DIGEST });
  });
});
