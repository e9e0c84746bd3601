// What the making of an export shares with whoever goes on with it, and with the folder that it lies in.

import type { Clock } from "../clock.ts";
import type { ExportFolder } from "./export-file-names.ts";

/** From where an export goes on: kept once the disk has what it says. */
export interface ExportCheckpoint<Key = unknown> {
  readonly attempt: string;
  readonly key: Key;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly shape: string;
  readonly columns?: readonly string[] | undefined;
  readonly total?: number | undefined;
}

/** What all exports of a folder have in common. */
export interface ExportPlace {
  readonly folder: ExportFolder;
  readonly keepMs: number;
  readonly maxBytes: number;
  readonly fileMode: number;
  readonly checkpointMs: number;
  readonly clock: Clock;
  /** Resolves with true once the stream of the job holds a checkpoint of that attempt; with false when the signal aborts. */
  readonly isKept: (id: string, attempt: string, signal: AbortSignal) => Promise<boolean>;
}
