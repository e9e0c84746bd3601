// Removes the files of exports that nobody can ask for any more: their time is over, or their export has not come to its end and never will.

import { stat } from "node:fs/promises";
import { systemClock, type Clock } from "../clock.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { report } from "../trace.ts";
import type { ExportFileName, ExportFolder } from "./export-file-names.ts";
import { exportOf } from "./exports-snapshot.ts";
import type { ExportSnapshot } from "./exports-types.ts";

/** Timers do not reach further than 24 days, and a clock may be set anew: looked at each hour at least, while there are files. */
const MAX_WAIT_MS = 3_600_000;

export interface SweeperOptions {
  readonly folder: ExportFolder;
  readonly jobs: Jobs;
  readonly keepMs: number;
  readonly clock?: Clock | undefined;
}

/** What a sweep found. */
export interface Swept {
  readonly removedCount: number;
  readonly keptCount: number;
}

/** Sweeps when it is told to, and by itself when the next file's time is over. No timer runs while there are no files. */
export class ExportSweeper {
  readonly #options: SweeperOptions;
  readonly #clock: Clock;
  #sweeping: Promise<Swept> | undefined;
  #cancelTimer: (() => void) | undefined;
  #dueAtMs = Infinity;
  #isClosed = false;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** One at a time: a second call while one is under way gets what that one finds. */
  sweep(): Promise<Swept> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /** Sweeps beside other work; what goes wrong is reported. */
  start(): void {
    if (!this.#isClosed) this.sweep().catch((error: unknown) => report("export sweep", error));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** A file was made that goes at `expiresAtMs`. */
  expect(expiresAtMs: number): void {
    const nowMs = this.#clock.now();
    const dueAtMs = Math.min(nowMs + MAX_WAIT_MS, Math.max(nowMs, expiresAtMs));
    if (this.#isClosed || dueAtMs >= this.#dueAtMs) return;
    this.#cancelTimer?.();
    this.#dueAtMs = dueAtMs;
    this.#cancelTimer = this.#clock.after(dueAtMs - nowMs, () => {
      this.#cancelTimer = undefined;
      this.#dueAtMs = Infinity;
      this.start();
    });
  }

  async #sweep(): Promise<Swept> {
    const { folder, jobs } = this.#options;
    const filesById = new Map<string, ExportFileName[]>();
    for (const file of await folder.list()) filesById.set(file.id, [...(filesById.get(file.id) ?? []), file]);
    let removedCount = 0;
    let keptCount = 0;
    let nextMs = Infinity;
    for (const [id, files] of filesById) {
      const found = exportOf(await jobs.get(id), this.#clock.now());
      for (const file of files) {
        if (await this.#isKept(file, found)) {
          keptCount++;
          nextMs = Math.min(nextMs, found?.expiresAtMs ?? Infinity);
        } else {
          await folder.remove(file);
          removedCount++;
        }
      }
    }
    if (keptCount > 0) this.expect(nextMs);
    return { removedCount, keptCount };
  }

  async #isKept(file: ExportFileName, found: ExportSnapshot | undefined): Promise<boolean> {
    if (found === undefined) return this.#isRecent(file);
    if (found.end === undefined) return true; // it is being made, or waits for a process that goes on with it
    return file.isWhole && file.attempt === found.result?.attempt && !found.isExpired;
  }

  /** No job knows this file: its stream has gone, or it belongs to another store. */
  async #isRecent(file: ExportFileName): Promise<boolean> {
    try {
      const { mtimeMs } = await stat(this.#options.folder.pathOf(file));
      return this.#clock.now() - mtimeMs < this.#options.keepMs;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }
}
