// A sink that keeps uploads as files: written under a temporary name, given their own in one step, never over another file.

import { mkdir, open } from "node:fs/promises";
import path from "node:path";
import { systemClock, type Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { safeName } from "../receive/safe-name.ts";
import type { Sink, Stored } from "../receive/sink.ts";
import { report } from "../trace.ts";
import { diskError, SinkFileOnDisk } from "./disk-sink-file.ts";
import { sweepFolder } from "./disk-sink-sweep.ts";

export interface DiskSinkOptions {
  /**
   * What a file is called: its `id` (default), or the sender's `name` by the rule of `safeName`, with a number where that is taken. A file
   * without a name gets its id.
   */
  readonly naming?: "id" | "name" | undefined;
  /** Whether a committed file survives a power cut: the file and its folder are flushed to the disk before `commit` resolves. Default false. */
  readonly fsync?: boolean | undefined;
  /** The permissions of the files. Default 0o600: only this user reads them. */
  readonly mode?: number | undefined;
  /** Temporary files untouched for this long are leftovers of a process that died, in milliseconds. Default 86,400,000 (a day). */
  readonly maxAgeMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** A folder that takes uploads. */
export interface DiskSink extends Sink {
  /**
   * Removes what uploads that died left in the folder, and tells how many files that were. The sink does so once by itself, before its
   * first file; call it on a timer of your own for a process that lives long.
   */
  sweep(): Promise<number>;
}

/** A file that a {@link diskSink} keeps. */
export interface DiskStored extends Stored {
  readonly path: string;
}

/** What the names of files that are not whole yet begin with. */
const INCOMING = ".incoming-";

/**
 * Keeps uploads as files in `folder`, which is made if need be. A file is written as `.incoming-…` with a name that cannot be guessed, and
 * linked to its own name once it is whole: nobody ever sees a part of it, and no file is replaced.
 *
 * @throws {TailraceError} from its calls, `store_unavailable` (503; 507 where the disk is full), `conflict` where 1,000 files of one name
 *   are there
 */
export function diskSink(folder: string, options: DiskSinkOptions = {}): DiskSink {
  const root = path.resolve(folder);
  const { naming = "id", fsync = false, mode = 0o600, maxAgeMs = 86_400_000, clock = systemClock } = options;
  /** The temporary files of this process that are being written: they are no leftovers, however slow they are. */
  const live = new Set<string>();
  let ready: Promise<unknown> | undefined;

  function sweep(): Promise<number> {
    return sweepFolder(root, { prefix: INCOMING, olderThanMs: clock.now() - maxAgeMs, live });
  }

  async function prepare(): Promise<void> {
    await mkdir(root, { recursive: true });
    // In the background: an upload need not wait for it.
    void sweep().catch((error: unknown) => report("upload sweep", error));
  }

  return {
    sweep,
    async open({ id, name }) {
      if (!/^[\w-]{1,64}$/.test(id)) {
        throw new TailraceError("input_invalid", "An upload's id is 1 to 64 letters, digits, - and _.");
      }
      const temporary = `${INCOMING}${crypto.randomUUID()}`;
      const temporaryPath = path.join(root, temporary);
      live.add(temporary);
      try {
        ready ??= prepare();
        await ready;
        // `wx`: the name must not exist, as a link to somewhere else neither.
        const handle = await open(temporaryPath, "wx", mode);
        const finalName = naming === "name" && name !== undefined ? safeName(name) : id;
        return new SinkFileOnDisk(handle, {
          root,
          temporaryPath,
          finalName,
          fsync,
          onGone: () => live.delete(temporary),
        });
      } catch (error) {
        ready = undefined;
        live.delete(temporary);
        throw diskError(error);
      }
    },
  };
}
