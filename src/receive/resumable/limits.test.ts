// What is kept in memory, at its limits and one past them.

import { describe, expect, test } from "vitest";
import { ProgressReporter } from "../progress.ts";
import { memoryUploads } from "./memory-uploads.ts";
import { endReport, MAX_REPORTER_COUNT, reporterCount, reporterOf } from "./progress-registry.ts";
import type { UploadInfo } from "./storage.ts";
import { newUploadId } from "./upload-id.ts";

const UPLOAD = { metadata: {}, notes: {}, isPartial: false, createdAtMs: 0, expiresAtMs: 1_000 };

async function* bytes(count: number): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(count);
}

describe("memoryUploads", () => {
  test("takes maxBytes over all uploads and not one more, until some are removed", async () => {
    const storage = memoryUploads({ maxBytes: 10 });
    const [one, two] = [newUploadId(), newUploadId()];
    for (const id of [one, two]) await storage.create({ ...UPLOAD, id });
    await storage.append(one, 0, bytes(6));
    await expect(storage.append(two, 0, bytes(5))).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(storage.append(two, 0, bytes(5), { check: () => undefined })).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(await storage.append(two, 0, bytes(4))).toBe(4);
    await expect(storage.concat({ ...UPLOAD, id: newUploadId() }, [one])).rejects.toMatchObject({
      code: "store_unavailable",
    });
    await storage.remove(one);
    expect(await storage.append(two, 4, bytes(6))).toBe(10);
  });
});

describe("reporterOf", () => {
  test("keeps as many reporters as are allowed; one more closes the one that was least recently asked for", () => {
    const storage = memoryUploads();
    const uploads = Array.from({ length: MAX_REPORTER_COUNT + 1 }, (): UploadInfo => {
      return { ...UPLOAD, id: newUploadId(), offset: 0, phase: "receiving", headers: {}, hasBytes: true };
    });
    const told: string[] = [];
    const settings = {
      storage,
      progress: ({ id }: UploadInfo) =>
        new ProgressReporter({ id, publish: ({ state }) => void told.push(`${id} ${state}`) }),
    };
    const made = uploads.slice(0, MAX_REPORTER_COUNT).map((upload) => reporterOf(settings, upload));
    expect([reporterCount(), reporterOf(settings, uploads[0]!) === made[0]]).toEqual([MAX_REPORTER_COUNT, true]);
    reporterOf(settings, uploads[MAX_REPORTER_COUNT]!);
    expect(reporterCount()).toBe(MAX_REPORTER_COUNT);
    made[1]!.to("receiving"); // it was closed, so nothing is told
    expect(made[1]!.current.state).toBe("created");
    // Also by who wants no progress itself: a sweep that was given none ends what is there.
    for (const upload of uploads) endReport({ storage }, upload, "expired");
    expect([reporterCount(), made[0]!.current.state]).toEqual([0, "expired"]);
  });
});
