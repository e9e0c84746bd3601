// How the processes of one host wake each other: a commit changes the write-ahead file, and the file system tells. That is
// only a hint, so a slow poll repairs a lost one.

import { watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { afterTurn } from "../clock.ts";

/** The poll that repairs lost hints, in milliseconds: also the bound where the file system tells nothing. */
const REPAIR_POLL_MS = 200;

/** Calls `onForeignCommit` when another process may have written to the file at `path`, until the result is called. */
export function watchForeignCommits(database: DatabaseSync, path: string, onForeignCommit: () => void): () => void {
  const dataVersion = database.prepare("PRAGMA data_version");
  // Changes with every commit of another connection, and never with our own.
  const read = (): unknown => dataVersion.get()?.["data_version"];
  let last = read();
  let scheduled = false;
  let stopped = false;

  function check(): void {
    scheduled = false;
    if (stopped || !database.isOpen) return;
    const now = read();
    if (now === last) return;
    last = now;
    onForeignCommit();
  }

  // The folder and not the file: the last process to leave removes the write-ahead file, the next makes another.
  const wal = `${basename(path)}-wal`;
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(path), { persistent: false }, (_event, file) => {
      if (file !== wal || scheduled) return;
      scheduled = true;
      afterTurn(check);
    });
    // A folder that goes away, or too many watches on this machine: the poll goes on.
    watcher.on("error", () => watcher?.close());
  } catch {
    watcher = undefined;
  }
  const poll = setInterval(check, REPAIR_POLL_MS);
  poll.unref();

  return () => {
    stopped = true;
    watcher?.close();
    clearInterval(poll);
  };
}
