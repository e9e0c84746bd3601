// The stock client: tus-js-client as it is installed, against a server in a process of its own.

import { createHash, randomBytes, randomInt } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Upload, type UploadOptions } from "tus-js-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Death } from "./server.ts";
import { ServerProcess } from "./server-process.ts";

const DATA = randomBytes(12_000_000);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const DIGEST = sha256(DATA);
const KILL_COUNT = 20;
const KILLED = DATA.subarray(0, 3_000_000);
/** The same in every run, one that was asked for, or with LONG=1 any: printed, to run it again as it was. */
const SEED = Number(process.env["SEED"] ?? (process.env["LONG"] === "1" ? randomInt(1_000_000_000) : 20_261_120));
/** So many that they outlast the start of a server on a slow machine. */
const RETRIES = 2_000;

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
    retryDelays: Array.from({ length: RETRIES }, () => 100),
    metadata: { filename: "größe.bin" },
    ...options,
    onSuccess: () => resolve(),
    onError: reject,
  });
  made.start();
  return { upload: made, done };
}

/** Numbers from 0 to 1, always the same ones from one seed (an xorshift of 32 bits). */
function randomFrom(seed: number): () => number {
  let state = (seed ^ 0x9e_37_79_b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 4_294_967_296;
  };
}

/** The bytes of the one upload that there is. */
async function onlyBytes(): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".data"));
  expect(names).toHaveLength(1);
  return join(folder, names[0]!);
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
    "resumes after the server was killed, at 20 random points, and the bytes are right each time",
    { timeout: 900_000 },
    async () => {
      console.log(`SIGKILL at random points: SEED=${SEED}`);
      const random = randomFrom(SEED);
      /** Somewhere in what is not stored yet, its last byte included. */
      const deathBehind = (stored: number): Death => ({
        atBytes: stored + Math.ceil(random() * (KILLED.length - stored)),
        moment: random() < 0.5 ? "writing" : "stored",
      });
      for (let kills = 0, round = 0; kills < KILL_COUNT; round++) {
        const complete = server.next("complete");
        server.reports.length = 0;
        let death: Death | null = deathBehind(0);
        await server.arm(death);
        // One long request and many short ones in turn: both are cut somewhere.
        const chunks = round % 2 === 0 ? {} : { chunkSize: 300_000 };
        const { done } = upload(KILLED, { ...chunks, retryDelays: Array.from({ length: RETRIES }, () => 50) });
        while (death !== null) {
          const what = `SEED=${SEED}, kill ${kills}: ${JSON.stringify(death)}`;
          expect(await server.ended(), what).toBe("SIGKILL");
          kills++;
          const told = Math.max(0, ...server.reports.map((report) => (report.is === "stored" ? report.offset : 0)));
          const stored = await readFile(await onlyBytes());
          expect(stored.length, what).toBeGreaterThanOrEqual(told);
          expect(stored.equals(KILLED.subarray(0, stored.length)), what).toBe(true);
          const isDone = stored.length === KILLED.length || kills === KILL_COUNT;
          death = isDone ? null : deathBehind(stored.length);
          await server.start(death);
        }
        await done;
        expect(await complete, `SEED=${SEED}`).toMatchObject({ bytes: KILLED.length, sha256: sha256(KILLED) });
        await Promise.all((await readdir(folder)).map((name) => rm(join(folder, name))));
      }
    },
  );

  test("resumes parallel uploads after the server was killed", async () => {
    const complete = server.next("complete");
    await server.arm({ atBytes: 1_500_000, moment: "stored" }); // half of a part
    const { done } = upload(DATA, { parallelUploads: 4, chunkSize: 400_000 });
    expect(await server.ended()).toBe("SIGKILL");
    await server.start();
    await done;
    expect(await complete).toMatchObject({ bytes: DATA.length, sha256: DIGEST });
  });
});
