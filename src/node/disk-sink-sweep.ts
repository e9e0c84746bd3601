// Removes the temporary files that uploads left behind when their process died.

import { lstat, readdir, rm } from "node:fs/promises";
import path from "node:path";

export interface SweepOptions {
  readonly prefix: string;
  /** Files last written before this go, in milliseconds since the epoch. */
  readonly olderThanMs: number;
  /** Names that are being written by this process. */
  readonly live: ReadonlySet<string>;
}

/** @returns how many files were removed */
export async function sweepFolder(folder: string, options: SweepOptions): Promise<number> {
  let removed = 0;
  for (const name of await namesIn(folder)) {
    if (!name.startsWith(options.prefix) || options.live.has(name)) continue;
    const file = path.join(folder, name);
    try {
      const { mtimeMs } = await lstat(file);
      if (mtimeMs >= options.olderThanMs) continue;
      await rm(file);
      removed++;
    } catch (error) {
      // Another process swept it, or its upload came to its end.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return removed;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
