// The contract of upload storage over the storages of this package.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { memoryUploads } from "../receive/resumable/memory-uploads.ts";
import {
  checkUploadStorageRule,
  uploadStorageContract,
  type UploadStorageMaker,
} from "../testing/upload-storage-contract.ts";
import { diskUploads } from "./disk-uploads.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailrace-uploads-"));
});
afterAll(() => rm(folder, { recursive: true }));

const makers: Record<string, UploadStorageMaker> = {
  memory: { isShared: false, make: async () => memoryUploads() },
  disk: { isShared: true, make: async (place) => diskUploads(join(folder, place)) },
  "disk, fsync": { isShared: true, make: async (place) => diskUploads(join(folder, place), { fsync: true }) },
};

describe.each(Object.entries(makers))("%s", (_name, maker) => {
  test.each(uploadStorageContract)("$name", (rule) => checkUploadStorageRule(rule, maker));
});
