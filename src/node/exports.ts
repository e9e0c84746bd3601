// Exports as named runs: a job that writes a file, goes on after a crash, and is downloaded when it is done.

import { systemClock, type Clock } from "../clock.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import { problem } from "../http/problem.ts";
import type { DefinedJob, StartedJob, StartJobOptions } from "../jobs/jobs.ts";
import type { NamedSource } from "../log/named.ts";
import type { StopResult } from "../log/streams.ts";
import type { FileOptions } from "../reply/file-options.ts";
import { file } from "../reply/file.ts";
import { report } from "../trace.ts";
import type { JobItem } from "../wire/job-items.ts";
import { END_RECORD, ROWS_HEADER } from "../wire/ndjson-end.ts";
import { diskFile, type DiskFile } from "./disk-file.ts";
import { ExportFolder, isExportId, checkExportId } from "./export-file-names.ts";
import { exportOf, kindOf } from "./exports-snapshot.ts";
import { ExportSweeper, type Swept } from "./exports-sweep.ts";
import type { ExportCheckpoint, ExportPlace } from "./exports-place.ts";
import { makeExport } from "./exports-task.ts";
import type {
  ExportBatchDefinition,
  ExportDefinition,
  ExportResult,
  ExportRowDefinition,
  ExportsOptions,
  ExportSnapshot,
} from "./exports-types.ts";

const NAME = /^[\w-]{1,50}$/;
/** The default of `maxBytes`: 10 GiB. */
const MAX_BYTES = 10_737_418_240;
/** How long the end of an export that was told to stop is waited for, before its files are left to a sweep. */
const STOP_WAIT_MS = 3_000;
/** The most jobs that are looked through for a list. */
const MAX_LISTED_COUNT = 1_000;

/** Exports of one name: what starts them. */
export interface DefinedExport<Input> {
  readonly name: string;
  /** See {@link Exports.start}. */
  start(input: Input, options?: StartJobOptions): Promise<StartedJob>;
}

/** The exports of one folder. Made by {@link createExports}. */
export class Exports {
  readonly #options: ExportsOptions;
  readonly #clock: Clock;
  readonly #place: ExportPlace;
  readonly #sweeper: ExportSweeper;
  #hasSwept = false;

  constructor(options: ExportsOptions) {
    const { jobs, keepMs = 86_400_000, maxBytes = MAX_BYTES, fileMode = 0o600, checkpointMs = 1_000 } = options;
    checkCount("keepMs", keepMs, 1_000);
    checkCount("maxBytes", maxBytes, 0);
    checkCount("checkpointMs", checkpointMs, 1);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const folder = new ExportFolder(options.folder);
    this.#place = { folder, keepMs, maxBytes, fileMode, checkpointMs, clock: this.#clock, isKept: this.#isKept };
    this.#sweeper = new ExportSweeper({ folder, jobs, keepMs, clock: this.#clock });
  }

  /**
   * Defines exports of one name. Every process that may go on with them defines them too, in the same way: one that was begun with other
   * columns or another format begins anew.
   *
   * @throws {TailraceError} `input_invalid`
   */
  define<Input = unknown, Row = unknown, Key = unknown>(
    name: string,
    definition: ExportBatchDefinition<Input, Row, Key>,
  ): DefinedExport<Input>;
  define<Input = unknown, Row = unknown, Key = unknown>(
    name: string,
    definition: ExportRowDefinition<Input, Row, Key>,
  ): DefinedExport<Input>;
  define<Input, Row, Key>(name: string, definition: ExportDefinition<Input, Row, Key>): DefinedExport<Input> {
    if (!NAME.test(name)) {
      const message = "The name of an export has 1 to 50 letters, digits, or any of _ - and nothing else.";
      throw new TailraceError("input_invalid", message, { details: { field: "name" } });
    }
    if (definition.maxBytes !== undefined) checkCount("maxBytes", definition.maxBytes, 0);
    const { maxRunningCount, carriesOn = true, carryOnWithinMs, input } = definition;
    const job: DefinedJob<Input> = this.#options.jobs.define<Input, ExportResult>(
      kindOf(name),
      async (context) => {
        const stopped = (): void => this.#removeIfStopped(context.id);
        try {
          const result = await makeExport(name, definition, this.#place, context);
          this.#sweeper.expect(result.expiresAtMs);
          return result;
        } finally {
          // Also when it is told to stop between its last row and the word of its end.
          if (context.signal.aborted) stopped();
          else context.signal.addEventListener("abort", stopped, { once: true });
        }
      },
      { maxRunningCount, carriesOn, carryOnWithinMs, input },
    );
    if (!this.#hasSwept) {
      this.#hasSwept = true;
      this.#sweeper.start();
    }
    return { name, start: (value, options) => this.#start(job, value, options) };
  }

  /**
   * Starts an export of that name, apart from any request. Given an `id`, an export of that id is joined if it is there.
   *
   * @throws {TailraceError} as `Jobs.start`: `input_invalid`, `limit_exceeded`, `queue_full`
   */
  async start(name: string, input: unknown, options: StartJobOptions = {}): Promise<StartedJob> {
    const start = (value: unknown, more?: StartJobOptions): Promise<StartedJob> =>
      this.#options.jobs.start(kindOf(name), value, more);
    return this.#start({ start }, input, options);
  }

  /** The export's items as a source: `sse(request, exports.follow(id), { toEvent: exportEvent })`. */
  follow(id: string): NamedSource<JobItem<ExportResult>> {
    return this.#options.jobs.follow<ExportResult>(id);
  }

  /** How the export stands; undefined if there is none of that id. */
  async get(id: string): Promise<ExportSnapshot | undefined> {
    return isExportId(id) ? exportOf(await this.#options.jobs.get(id), this.#clock.now()) : undefined;
  }

  /** The newest exports, newest first, as far as they are among the last 1,000 jobs. @param options.count default 50 */
  async list(options: { readonly count?: number | undefined } = {}): Promise<readonly ExportSnapshot[]> {
    const { count = 50 } = options;
    let lookedAt = -1;
    for (let ask = Math.min(count, MAX_LISTED_COUNT); ; ask = Math.min(ask * 4, MAX_LISTED_COUNT)) {
      const jobs = await this.#options.jobs.list({ count: ask });
      const found = jobs.map((job) => exportOf(job, this.#clock.now())).filter((each) => each !== undefined);
      if (found.length >= count || ask >= MAX_LISTED_COUNT || jobs.length === lookedAt) return found.slice(0, count);
      lookedAt = jobs.length;
    }
  }

  /**
   * Replies with the file of a completed export, as an attachment, with ranges: 404 for no such export, 409 while it is being made or if it
   * came to no good end, 410 when its time is over. Never rejects for these.
   */
  async file(request: Request, id: string, options: ExportFileReplyOptions = {}): Promise<Response> {
    try {
      const result = await this.#resultOf(id);
      const headers = new Headers(options.headers);
      // RFC 9530, section 3: of the whole file, also in the reply to a range of it.
      headers.set("repr-digest", `sha-256=:${Buffer.from(result.sha256, "hex").toString("base64")}:`);
      if (result.endRecord) headers.append(ROWS_HEADER, END_RECORD);
      const source = await this.#open(id, result);
      return file(request, source, {
        ...options,
        headers,
        disposition: "attachment",
        etag: `"${result.sha256}"`,
      });
    } catch (error) {
      if (isTailraceError(error)) return problem(error);
      throw error;
    }
  }

  /** Stops an export, whichever process makes it, and removes what it has written. */
  async cancel(id: string): Promise<StopResult> {
    if ((await this.get(id)) === undefined) return { state: "unknown" };
    const result = await this.#options.jobs.cancel(id);
    // Its own process may be gone.
    if (result.state === "stopping") this.#removeIfStopped(id);
    return result;
  }

  /**
   * Starts a new export with the name and the input of one that has ended.
   *
   * @throws {TailraceError} `stream_unknown` if there is no such export, `conflict` if it has not ended, and what `start` throws
   */
  async retry(id: string): Promise<{ readonly id: string; readonly retryOf: string }> {
    if ((await this.get(id)) === undefined) throw unknownExport(id);
    return this.#options.jobs.retry(id);
  }

  /**
   * Removes the files whose time is over, and what exports have left that will never come to their end. Files of which no job is known go
   * when they are as old as `keepMs`. Done by itself at the first `define`, and when the time of a file is over.
   */
  sweep(): Promise<Swept> {
    return this.#sweeper.sweep();
  }

  /** Sweeps by itself no more. Exports that run go on. */
  close(): void {
    this.#sweeper.close();
  }

  async #start<Input>(
    job: Pick<DefinedJob<Input>, "start">,
    input: Input,
    options: StartJobOptions = {},
  ): Promise<StartedJob> {
    if (options.id !== undefined) checkExportId(options.id);
    return job.start(input, options);
  }

  async #resultOf(id: string): Promise<ExportResult> {
    const found = await this.get(id);
    if (found === undefined) throw unknownExport(id);
    if (found.state === "queued" || found.state === "running") {
      throw new TailraceError("conflict", `The export ${id} is still being made; ask again when it is completed.`);
    }
    if (found.result === undefined) {
      throw new TailraceError("conflict", `The export ${id} ended as ${found.state} and has no file; export again.`);
    }
    if (found.isExpired) {
      this.#sweeper.start();
      throw gone();
    }
    return found.result;
  }

  async #open(id: string, result: ExportResult): Promise<DiskFile> {
    const { attempt, bytes, filename, type } = result;
    const path = this.#place.folder.pathOf({ id, attempt, isWhole: true });
    const source = await diskFile(path, { name: filename, type }).catch((error: unknown) => {
      throw isTailraceError(error, "not_found") ? gone(error) : error;
    });
    if (source.size === bytes) return source;
    source.close();
    throw gone();
  }

  readonly #isKept = async (id: string, attempt: string, signal: AbortSignal): Promise<boolean> => {
    try {
      for await (const { value } of this.follow(id).entries({ after: "now", signal })) {
        if (value.type === "checkpoint" && (value.value as ExportCheckpoint).attempt === attempt) return true;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return false;
  };

  /** An export that was told to stop may have been given up for another process instead: the log knows. */
  #removeIfStopped(id: string): void {
    const remove = async (): Promise<void> => {
      const end = await this.follow(id).ended(AbortSignal.timeout(STOP_WAIT_MS));
      if (end?.reason === "stopped") await this.#place.folder.removeAll(id);
    };
    remove().catch((error: unknown) => {
      // Deleted, or the store was closed meanwhile: a sweep finds what is left.
      if (!isTailraceError(error)) report("export", error);
    });
  }
}

/** Further options of the reply of {@link Exports.file}. */
export type ExportFileReplyOptions = Pick<FileOptions, "headers" | "cacheControl" | "maxRanges" | "onError">;

/**
 * Exports to files in `folder`, each one a job of `jobs`.
 *
 * @throws {TailraceError} `input_invalid`
 */
export function createExports(options: ExportsOptions): Exports {
  return new Exports(options);
}

function unknownExport(id: string): TailraceError {
  return new TailraceError("stream_unknown", `There is no export ${JSON.stringify(id)}.`);
}

/** RFC 9110, section 15.5.11: it was there, and will not be there again. */
function gone(cause?: unknown): TailraceError {
  const options = cause === undefined ? {} : { cause };
  return new TailraceError("not_found", "The file of this export was removed; export again.", {
    ...options,
    status: 410,
  });
}

function checkCount(name: string, count: number, least: number): void {
  if (Number.isSafeInteger(count) && count >= least) return;
  const message = `${name} is ${count}; give a whole number from ${least}.`;
  throw new TailraceError("input_invalid", message, { details: { field: name } });
}
