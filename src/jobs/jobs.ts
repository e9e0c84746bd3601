// Jobs: long work as runs. A job's stream holds all there is to know of it, so it can be followed, read and carried on by
// whichever process; nothing else is stored but a list of the newest ids.

import { isPromiseLike, type Source } from "../bytes/source.ts";
import { systemClock, type Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import type { NamedSource } from "../log/named.ts";
import type { StopResult, Streams } from "../log/streams.ts";
import type { InterruptedRun } from "../log/takeover.ts";
import { report } from "../trace.ts";
import type { JobItem, JobQueuedItem, JobSnapshot } from "../wire/job-items.ts";
import {
  checkedInput,
  checkJobId,
  checkKindName,
  isJobId,
  keptInput,
  type JobKind,
  type JobKindOptions,
  type JobTask,
} from "./job-kind.ts";
import { JobList, MAX_LISTED_COUNT } from "./job-list.ts";
import { JobQueue, type Ticket } from "./job-queue.ts";
import { readJob, readLeftJob } from "./job-reading.ts";
import { jobSource, type JobRunOptions } from "./job-run.ts";
import { StreamUse } from "./stream-use.ts";

/** The largest input, in characters of JSON. Ten thousand of them may wait. */
const MAX_INPUT_CHARS = 65_536;
/** A stream is touched a few times within `keepMs`; less would be a load of its own. */
const MIN_KEEP_MS = 1_000;
/** So many jobs are read at the same time for a list. */
const LIST_READ_COUNT = 16;

export interface JobsOptions {
  readonly streams: Streams;
  /** How many jobs run at the same time in this process. Default 4. */
  readonly maxRunningCount?: number | undefined;
  /** How many may wait in this process. Default 10,000. */
  readonly maxQueuedCount?: number | undefined;
  /** The largest input, in characters of JSON. Default 65,536. */
  readonly maxInputChars?: number | undefined;
  /** What the streams' names begin with, behind which the id stands. Default `job/`. */
  readonly prefix?: string | undefined;
  /** How long a job is kept after it has ended and was last looked at, in milliseconds: 1,000 or more. Default 604,800,000 (7 days). */
  readonly keepMs?: number | undefined;
  /** Gets what tasks throw. Default: the diagnostics channel `tailrace:error`, or the console. */
  readonly onError?: ((error: unknown, job: { readonly id: string; readonly kind: string }) => void) | undefined;
  readonly clock?: Clock | undefined;
}

export interface StartJobOptions {
  /** 1 to 128 of `A-Z a-z 0-9 _ . : -`. A job of that id that is there already is joined. Default: a new random one. */
  readonly id?: string | undefined;
}

/** A job that was started, or was there. */
export interface StartedJob {
  readonly id: string;
  /** False if a job of that id was there. */
  readonly started: boolean;
}

/** A kind that was defined: what starts its jobs. */
export interface DefinedJob<Input> {
  readonly kind: string;
  /** See {@link Jobs.start}. */
  start(input: Input, options?: StartJobOptions): Promise<StartedJob>;
}

/** The jobs of one store. Made by `createJobs`. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #streams: Streams;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #list: JobList;
  readonly #queue: JobQueue;
  readonly #use: StreamUse;
  readonly #kinds = new Map<string, JobKind>();

  constructor(options: JobsOptions) {
    const { streams, maxRunningCount = 4, maxQueuedCount = 10_000, prefix = "job/", keepMs = 604_800_000 } = options;
    this.#options = options;
    this.#streams = streams;
    this.#clock = options.clock ?? systemClock;
    this.#prefix = prefix;
    this.#list = new JobList(streams, `${prefix.replace(/\/$/, "")}s`);
    checkCount("maxRunningCount", maxRunningCount, 1);
    checkCount("maxQueuedCount", maxQueuedCount, 0);
    checkCount("keepMs", keepMs, MIN_KEEP_MS);
    this.#queue = new JobQueue({ maxRunningCount, maxQueuedCount, clock: this.#clock });
    this.#use = new StreamUse(streams, keepMs, this.#clock);
  }

  /** How many jobs run and wait in this process. */
  get counts(): { readonly running: number; readonly queued: number } {
    return this.#queue.counts;
  }

  /**
   * Defines a kind of job. Defining it again replaces the task for jobs that start from now on.
   *
   * @throws {TailraceError} `input_invalid`
   */
  define<Input = unknown, Result = unknown>(
    kind: string,
    task: JobTask<Input, Result>,
    options: JobKindOptions<Input> = {},
  ): DefinedJob<Input> {
    checkKindName(kind);
    if (options.maxRunningCount !== undefined) checkCount("maxRunningCount", options.maxRunningCount, 1);
    this.#kinds.set(kind, { kind, task, options } as JobKind);
    this.#queue.setLimit(kind, options.maxRunningCount ?? Infinity);
    if (options.carriesOn === true) {
      const onError = (error: unknown, name: string): void => this.#tell(error, kind, this.#idOf(name));
      this.#streams.onInterrupted(this.#carryOnKind(kind), this.#carryOn, { onError });
    }
    return { kind, start: (input, startOptions) => this.start(kind, input, startOptions) };
  }

  /**
   * Starts a job: it runs at once or waits for its turn, apart from any request. Given an `id`, a job of that id is joined if
   * it is there, whatever its input was.
   *
   * @throws {TailraceError} `input_invalid` (an unknown kind, a bad id, or an input that the kind does not take),
   * `limit_exceeded` (an input over `maxInputChars`), `queue_full` (nothing is made then), or a fault of the store
   */
  start(kind: string, input: unknown, options: StartJobOptions = {}): Promise<StartedJob> {
    return this.#start(kind, input, options.id, undefined);
  }

  /** The job's items as a source: `sse(request, jobs.follow(id), { toEvent: jobEvent })`. */
  follow<Result = unknown>(id: string): NamedSource<JobItem<Result>> {
    return this.#streams.follow<JobItem<Result>>(this.#name(id));
  }

  /** How the job stands; undefined if there is none of that id. */
  async get(id: string): Promise<JobSnapshot | undefined> {
    return isJobId(id) ? readJob(this.#streams, this.#name(id), id) : undefined;
  }

  /** The newest jobs, newest first. @param options.count default 50, at most 1,000 */
  async list(options: { readonly count?: number | undefined } = {}): Promise<readonly JobSnapshot[]> {
    const { count = 50 } = options;
    checkCount("count", count, 0, MAX_LISTED_COUNT);
    const ids = await this.#list.newest(count);
    const jobs: (JobSnapshot | undefined)[] = [];
    for (let from = 0; from < ids.length; from += LIST_READ_COUNT) {
      const part = ids.slice(from, from + LIST_READ_COUNT);
      jobs.push(...(await Promise.all(part.map((id) => this.get(id)))));
    }
    return jobs.filter((job) => job !== undefined);
  }

  /**
   * Stops the job, whichever process runs it. Its task's signal aborts; one that waits leaves the queue. It ends as `stopped`
   * at once, but its slot is free only when the task has settled.
   */
  async cancel(id: string): Promise<StopResult> {
    return isJobId(id) ? this.#streams.stop(this.#name(id)) : { state: "unknown" };
  }

  /**
   * Starts a new job of the same kind and input as one that has ended.
   *
   * @throws {TailraceError} `stream_unknown` if there is no such job, `conflict` if it has not ended, and what `start` throws
   */
  async retry(id: string): Promise<{ readonly id: string; readonly retryOf: string }> {
    const job = await this.get(id);
    if (job?.kind === undefined) throw new TailraceError("stream_unknown", `There is no job ${JSON.stringify(id)}.`);
    if (job.end === undefined)
      throw new TailraceError("conflict", `The job ${id} is ${job.state}: cancel it before it is tried again.`);
    const started = await this.#start(job.kind, job.input, undefined, id);
    return { id: started.id, retryOf: id };
  }

  async #start(
    kind: string,
    input: unknown,
    givenId: string | undefined,
    retryOf: string | undefined,
  ): Promise<StartedJob> {
    const definition = this.#definition(kind);
    const id = givenId ?? crypto.randomUUID();
    checkJobId(id);
    const kept = keptInput(input, this.#options.maxInputChars ?? MAX_INPUT_CHARS);
    const checked = checkedInput(definition, kept);
    // Awaited only where it must be: jobs stand in the queue in the order in which they were started.
    const taskInput = isPromiseLike(checked) ? await checked : checked;
    let ticket: Ticket;
    try {
      ticket = this.#queue.enter(kind);
    } catch (error) {
      if (givenId !== undefined && (await this.#streams.head(this.#name(id))) !== undefined)
        return { id, started: false };
      throw error;
    }
    const first = { kind, input: kept, ...(retryOf === undefined ? {} : { retryOf }) };
    const started = await this.#run(definition, { id, input: taskInput, first, ticket });
    if (started) await this.#list.add(id);
    return { id, started };
  }

  /** Starts the run. False if there is one of that name. */
  async #run(
    definition: JobKind,
    job: Pick<JobRunOptions, "id" | "input" | "ticket"> & { readonly first: Partial<JobQueuedItem> },
  ): Promise<boolean> {
    const name = this.#name(job.id);
    const source = this.#source(definition, job);
    const { carriesOn = false, carryOnWithinMs } = definition.options;
    try {
      const run = await this.#streams.run(name, source, {
        ttlMs: this.#use.keepMs,
        onError: (error) => this.#tell(error, definition.kind, job.id),
        ...(carriesOn ? { carryOn: this.#carryOnKind(definition.kind), carryOnWithinMs } : {}),
      });
      if (!run.started) job.ticket.leave();
      return run.started;
    } catch (error) {
      job.ticket.leave();
      throw error;
    }
  }

  #source(definition: JobKind, job: Omit<JobRunOptions, "definition" | "clock" | "onOpen">): Source<JobItem> {
    const name = this.#name(job.id);
    return jobSource({ ...job, definition, clock: this.#clock, onOpen: () => this.#use.begin(name) });
  }

  /** Goes on with a job whose process has died: it waits for its turn as any other, among those of its age. */
  readonly #carryOn = async (run: InterruptedRun): Promise<Source<unknown> | undefined> => {
    const id = this.#idOf(run.name);
    const { job, hasRun, checkpoint, logLineCount, hasResult } = await readLeftJob(run, id);
    const definition = this.#kinds.get(job.kind ?? "");
    if (definition === undefined || job.failure !== undefined) return undefined;
    if (hasResult) return []; // only its end was not written any more
    const input = await checkedInput(definition, job.input);
    if (run.signal.aborted) return undefined;
    const ticket = this.#queue.enter(definition.kind, job.createdAtMs ?? this.#clock.now());
    const resumed = hasRun ? { checkpoint } : undefined;
    const left = { id, input, first: { carriedOn: true }, ticket, resumed, logLineCount };
    return this.#source(definition, left);
  };

  #definition(kind: string): JobKind {
    const definition = this.#kinds.get(kind);
    if (definition !== undefined) return definition;
    const known = [...this.#kinds.keys()].join(", ");
    const message = `There is no kind of job ${JSON.stringify(kind)}; there is ${known === "" ? "none" : known}.`;
    throw new TailraceError("input_invalid", message, { details: { field: "kind" } });
  }

  #name(id: string): string {
    return this.#prefix + id;
  }

  #idOf(name: string): string {
    return name.slice(this.#prefix.length);
  }

  #carryOnKind(kind: string): string {
    return `${this.#prefix.replace(/\/$/, "")}:${kind}`;
  }

  #tell(error: unknown, kind: string, id: string): void {
    const { onError } = this.#options;
    if (onError === undefined) report(`job ${kind} ${id}`, error);
    else onError(error, { id, kind });
  }
}

function checkCount(name: string, count: number, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(count) && count >= least && count <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most.toLocaleString("en")}`;
  const message = `${name} is ${count}; give a whole number ${range}.`;
  throw new TailraceError("input_invalid", message, { details: { field: name } });
}
