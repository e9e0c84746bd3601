// The small file beside an upload's bytes: what is known of it, replaced as a whole so that a crash leaves the old or the new one.

import { open, readFile, rename, rm } from "node:fs/promises";
import type { NewUpload, UploadPhase } from "../receive/resumable/storage.ts";

/** What the file holds. The offset is not in it: that is the size of the file of bytes. */
export interface UploadRecord {
  readonly version: 1;
  readonly upload: NewUpload;
  readonly phase: UploadPhase;
  readonly headers: Readonly<Record<string, string>>;
}

/** The record at `path`; undefined if there is none or it cannot be read as one. */
export async function readRecord(path: string): Promise<UploadRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const value = JSON.parse(text) as UploadRecord | null;
    return value?.version === 1 ? value : undefined;
  } catch {
    // Only a power cut without `fsync` leaves such a file. What it was is lost, so the upload is.
    return undefined;
  }
}

/** Replaces the record at `path` by way of `temporaryPath` in the same folder. */
export async function writeRecord(
  path: string,
  temporaryPath: string,
  record: UploadRecord,
  fsync: boolean,
): Promise<void> {
  try {
    const handle = await open(temporaryPath, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(record)}\n`);
      if (fsync) await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}
