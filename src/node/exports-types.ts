// What an export is made of, and what there is to know of one: the types of `exports.ts`.

import type { Source } from "../bytes/source.ts";
import type { Clock } from "../clock.ts";
import type { JobKindOptions } from "../jobs/job-kind.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { CsvOptions } from "../wire/csv-encode.ts";
import type { JobSnapshot } from "../wire/job-items.ts";

export type ExportFormat = "csv" | "ndjson";

/** Options of `createExports`. */
export interface ExportsOptions {
  /** Each export is one of their jobs. */
  readonly jobs: Jobs;
  /** Where the files lie; made if need be. Processes that share the jobs' store share this folder too. */
  readonly folder: string;
  /** How long a file is kept after it was made, in milliseconds: 1,000 or more. Default 86,400,000 (a day). */
  readonly keepMs?: number | undefined;
  /** The largest file, in bytes. Default 10,737,418,240 (10 GiB). */
  readonly maxBytes?: number | undefined;
  /** The permissions of the files. Default 0o600: only this user reads them. */
  readonly fileMode?: number | undefined;
  /** How often it is noted from where an export can go on, in milliseconds: 1 or more. Default 1,000. */
  readonly checkpointMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** What `rows` is told. */
export interface ExportRowsContext<Key> {
  /** Only rows behind this key; undefined: from the first one on. */
  readonly after: Key | undefined;
  /** Aborts when the export is cancelled, or fails, or its process shuts down. */
  readonly signal: AbortSignal;
}

/** What gives the rows: a source, or a promise of one. */
export type ExportRows<T> = Source<T> | PromiseLike<Source<T>>;

interface ExportBase<Input, Row, Key> extends Pick<
  JobKindOptions<Input>,
  "maxRunningCount" | "carriesOn" | "carryOnWithinMs" | "input"
> {
  /** Default `csv`. */
  readonly format?: ExportFormat | ((input: Input) => ExportFormat) | undefined;
  /** How a table is written. `guardFormulas` is on by default. */
  readonly csv?: CsvOptions<Row> | ((input: Input) => CsvOptions<Row>) | undefined;
  /** NDJSON ends with a record that tells how many rows there were (PROTOCOL.md, section 3.1). Default false. */
  readonly endRecord?: boolean | undefined;
  /** The name that a browser saves the file under. Default: the export's name and the format. */
  readonly filename?: string | ((input: Input) => string) | undefined;
  /** How many rows there will be, for share and time left. One that fails is left out. Default: not known. */
  readonly total?:
    | ((input: Input, context: { readonly signal: AbortSignal }) => number | PromiseLike<number>)
    | undefined;
  /** The place of a row in the order of `rows`, unlike that of any other: JSON. */
  readonly key: (row: Row) => Key;
  /** The largest file of this kind, in bytes. Default: that of all. */
  readonly maxBytes?: number | undefined;
}

/** Rows one by one. */
export interface ExportRowDefinition<Input, Row, Key> extends ExportBase<Input, Row, Key> {
  readonly batches?: false | undefined;
  /** The rows in the order of their keys, those behind `after` alone. */
  readonly rows: (input: Input, context: ExportRowsContext<Key>) => ExportRows<Row>;
}

/** Rows in batches, as cursors and key-set pages give them. */
export interface ExportBatchDefinition<Input, Row, Key> extends ExportBase<Input, Row, Key> {
  readonly batches: true;
  /** The rows in the order of their keys, those behind `after` alone. */
  readonly rows: (input: Input, context: ExportRowsContext<Key>) => ExportRows<readonly Row[]>;
}

/** What `define` takes. */
export type ExportDefinition<Input, Row, Key> =
  | ExportRowDefinition<Input, Row, Key>
  | ExportBatchDefinition<Input, Row, Key>;

/** A whole export: the `result` of its job. */
export interface ExportResult {
  readonly rows: number;
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
  readonly filename: string;
  /** The media type. */
  readonly type: string;
  /** When the file goes, in milliseconds since 1970 by the server's clock. */
  readonly expiresAtMs: number;
  /** Whether the last line is an end record. */
  readonly endRecord: boolean;
  /** Which of the attempts at it was the last: a part of the file's name. */
  readonly attempt: string;
}

/** An export as it stands. */
export interface ExportSnapshot extends JobSnapshot<ExportResult> {
  /** What it was defined as. */
  readonly name: string;
  /** How much is written so far, or in all. */
  readonly rows: number;
  readonly bytes: number;
  /** This and the next two: once it is completed. */
  readonly sha256?: string | undefined;
  readonly filename?: string | undefined;
  readonly expiresAtMs?: number | undefined;
  /** Whether the file was removed, as its time was over. */
  readonly isExpired: boolean;
}
