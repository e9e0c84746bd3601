// The files of a folder as JSON.

import { opendir, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { mediaTypeOf } from "../http/media-types.ts";
import { closeNow } from "./disk-file.ts";
import { isInside, safeSegments } from "./safe-segments.ts";

/** How many entries of a folder are looked at. */
export const DEFAULT_MAX_ENTRIES = 10_000;

/** How many files are asked for their size at the same time. */
const STATS_AT_ONCE = 32;

/** One file of a listing. */
export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  /** ISO 8601. */
  readonly modifiedAt: string;
  readonly type: string;
}

/** What a listing holds. */
export interface FolderListing {
  /** By name. */
  readonly files: readonly ListedFile[];
  /** Whether there were more entries than are looked at. */
  readonly truncated: boolean;
}

/** The listing as a reply; closes the descriptor. Only what `folder` would serve is named. */
export async function listFolder(
  opened: { readonly fd: number; readonly path: string; readonly realRoot: string },
  dotfiles: boolean,
  maxEntries: number,
): Promise<Response> {
  try {
    const names: string[] = [];
    let entryCount = 0;
    let truncated = false;
    for await (const entry of await opendir(opened.path)) {
      entryCount++;
      if (entryCount > maxEntries) {
        truncated = true;
        break;
      }
      if ((entry.isFile() || entry.isSymbolicLink()) && safeSegments([entry.name], dotfiles)) names.push(entry.name);
    }
    names.sort();
    const files: ListedFile[] = [];
    for (let at = 0; at < names.length; at += STATS_AT_ONCE) {
      const some = names.slice(at, at + STATS_AT_ONCE);
      const looked = await Promise.all(
        some.map((name) => look(join(opened.path, name), name, opened.realRoot, dotfiles)),
      );
      files.push(...looked.filter((each) => each !== undefined));
    }
    const listing: FolderListing = { files, truncated };
    return Response.json(listing, { headers: { "cache-control": "no-cache", "x-content-type-options": "nosniff" } });
  } finally {
    closeNow(opened.fd);
  }
}

/** Undefined for what is no file, leads out, or has gone. */
async function look(path: string, name: string, realRoot: string, dotfiles: boolean): Promise<ListedFile | undefined> {
  try {
    if (!isInside(relative(realRoot, await realpath(path)), dotfiles)) return undefined;
    const stats = await stat(path);
    if (!stats.isFile()) return undefined;
    return { name, bytes: stats.size, modifiedAt: stats.mtime.toISOString(), type: mediaTypeOf(name) };
  } catch {
    return undefined;
  }
}
