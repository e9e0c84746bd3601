// The folder that a database lies in, made so that it lasts as long as the database is to.

import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes `folder` if need be. With `lasts` the names of what was made are on the disk when this returns: a folder is an entry
 * of the one above it, and SQLite syncs only the one that its file lies in.
 */
export function makeFolder(folder: string, lasts: boolean): void {
  const highest = mkdirSync(folder, { recursive: true });
  // Windows opens no folder to sync it; there the file system's own journal keeps the names.
  if (!lasts || highest === undefined || process.platform === "win32") return;
  for (let made = folder; ; made = dirname(made)) {
    syncFolder(dirname(made));
    if (made === highest || made === dirname(made)) return;
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
