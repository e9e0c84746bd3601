// The true path of an open descriptor: what was opened and not what a name points to by now.

import { fstatSync, readlinkSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { notFound } from "./disk-file.ts";

/**
 * The path of what `fd` has open, with every link resolved. On Linux the kernel tells. Elsewhere the name is resolved, and has
 * to lead to the same device and inode.
 *
 * @throws {TailraceError} `not_found` if the name has come to mean another file.
 */
export function realPathOf(fd: number, name: string): string | Promise<string> {
  if (process.platform === "linux") {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`); // kept in memory: no disk is asked
    } catch {
      // No /proc, as in some containers: by name then.
    }
  }
  return realPathByName(fd, name);
}

async function realPathByName(fd: number, name: string): Promise<string> {
  const opened = fstatSync(fd, { bigint: true });
  const path = await realpath(name);
  const named = await stat(path, { bigint: true });
  if (named.dev !== opened.dev || named.ino !== opened.ino) throw notFound();
  return path;
}
