// Uploads: where they go, and the streams that tell of their progress.

import { link, stat, unlink } from "node:fs/promises";
import { join, parse } from "node:path";
import { diskSink, diskUploads } from "tailrace/node";
import {
  ProgressReporter,
  publishTo,
  safeName,
  sweepUploads,
  type UploadInfo,
  uploadLine,
  type UploadProgress,
} from "tailrace/upload";
import { unfinishedDir, uploadsDir } from "./folders.ts";
import { streams } from "./streams.ts";

/** The largest upload, in bytes: 8 GiB. */
export const MAX_UPLOAD_BYTES = 8_589_934_592;

/** Whole files. */
export const sink = diskSink(uploadsDir, { naming: "name" });

/** Resumable uploads, until they are whole. */
export const unfinished = diskUploads(unfinishedDir);

/** Where the instances that share the folder take resumable uploads over from each other. */
export const line = uploadLine(streams);

/** The stream that lists the uploads, newest last. */
const UPLOADS = "uploads";

/** The stream of one upload's progress. */
export const progressName = (id: string): string => `upload/${id}`;

interface Listed {
  readonly id: string;
}

/** A reporter whose reports anybody can follow under the upload's id. */
export function reporterOf(id: string, name?: string, totalBytes?: number): ProgressReporter {
  void list(id).catch(console.error);
  return new ProgressReporter({ id, name, totalBytes, publish: publishTo(streams, progressName(id)) });
}

/** The reporter of a resumable upload, whose next bytes may come to any instance. */
export function resumableReporterOf({ id, metadata, lengthBytes, offset }: UploadInfo): ProgressReporter {
  void list(id).catch(console.error);
  const reporter: ProgressReporter = new ProgressReporter({
    id,
    name: metadata["filename"],
    totalBytes: lengthBytes,
    bytes: offset,
    publish: publishTo(streams, progressName(id)),
    async isElsewhere() {
      const now = await unfinished.head(id);
      return now?.phase !== "receiving" || now.offset !== reporter.current.bytes;
    },
  });
  return reporter;
}

async function list(id: string): Promise<void> {
  await streams.create(UPLOADS, { maxItems: 200 });
  await streams.append(UPLOADS, [{ id } satisfies Listed]);
}

/** The newest report of an upload; undefined if there is none. */
export async function progressOf(id: string): Promise<UploadProgress | undefined> {
  const head = await streams.head(progressName(id));
  if (head === undefined) return undefined;
  const { entries } = await streams.read<UploadProgress>(progressName(id));
  return entries.at(-1)?.value;
}

/** The newest reports of the last `count` uploads, newest first. */
export async function recentUploads(count: number): Promise<readonly UploadProgress[]> {
  if ((await streams.head(UPLOADS)) === undefined) return [];
  const { entries } = await streams.read<Listed>(UPLOADS);
  const ids = [...new Set(entries.map((entry) => entry.value.id).toReversed())].slice(0, count);
  const reports = await Promise.all(ids.map(progressOf));
  return reports.filter((report) => report !== undefined);
}

/** The most files of one name. */
const MAX_SAME_NAME_COUNT = 1_000;

/** Moves a whole upload among the others, under a name that is free. Can be repeated after a crash half-way. */
export async function keepUpload(path: string, givenName: string): Promise<void> {
  const { name, ext } = parse(safeName(givenName));
  const { ino } = await stat(path);
  for (let count = 1; count <= MAX_SAME_NAME_COUNT; count++) {
    const target = join(uploadsDir, count === 1 ? `${name}${ext}` : `${name} (${count})${ext}`);
    try {
      await link(path, target); // never over another file, as a rename would
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if ((await stat(target)).ino !== ino) continue;
    }
    return unlink(path);
  }
  throw new Error(`There are ${MAX_SAME_NAME_COUNT} uploads of one name.`);
}

const SWEEP_MS = 3_600_000;

/** Removes what nobody has finished, now and once an hour. */
export function sweepEveryHour(): void {
  const sweep = (): void => {
    void sweepUploads({ storage: unfinished }).catch(console.error);
    void sink.sweep().catch(console.error);
  };
  sweep();
  setInterval(sweep, SWEEP_MS).unref();
}
