// A job as something to look at: start it, follow it from any tab and after a reload, cancel it, try it again.

import { isTailraceError, TailraceError } from "../errors.ts";
import { endJob, type JobLogLine, type JobSnapshot, type JobState } from "../wire/job-items.ts";
import { createAttachment } from "./attachment.ts";
import { JobFold } from "./job-fold.ts";
import { type JobPlace, jobUrl, postJob } from "./job-requests.ts";
import { Store } from "./store.ts";
import { StreamView } from "./stream-view.ts";
import type { ConnectionStatus, Fetch, HeadersSource, OpenOptions } from "./stream-types.ts";

const DEFAULT_MAX_LOG_LINE_COUNT = 1_000;

/** Options of a view. */
export interface JobViewOptions {
  /** Where jobs are started; each is at `{api}/{id}`. @default "/api/jobs" */
  readonly api?: string | undefined;
  /** The job to follow at first: from the page's address, say. */
  readonly id?: string | null | undefined;
  readonly headers?: HeadersSource | undefined;
  readonly credentials?: RequestCredentials | undefined;
  readonly fetch?: Fetch | undefined;
  /** How many lines are kept; the oldest go first and are counted in `droppedLogCount`. @default 1000 */
  readonly maxLogLineCount?: number | undefined;
  /** The delays and limits of the connection. */
  readonly connection?:
    | Pick<OpenOptions, "minDelayMs" | "maxDelayMs" | "maxAttempts" | "idleMs" | "maxEventBytes" | "pauseWhenHidden">
    | undefined;
}

/** What a view shows. Never changed: each change gives a new object. */
export interface JobViewSnapshot<Result = unknown> {
  /** The job that is followed; null: none. */
  readonly id: string | null;
  /**
   * `idle`: no job · `starting`: the server was asked for one · `loading`: nothing is known of it yet, and with an
   * `error` nothing will be · else its state.
   */
  readonly status: "idle" | "starting" | "loading" | JobState;
  /** The job as it stands; null while nothing is known of it. */
  readonly job: JobSnapshot<Result> | null;
  /** The last lines, oldest first. */
  readonly logs: readonly JobLogLine[];
  /** Lines that are not kept any more. */
  readonly droppedLogCount: number;
  /** `waiting`: the stream was cut and comes back by itself; the job goes on. */
  readonly connection: ConnectionStatus | "idle";
  /** A cancel was asked for, and the job has not ended yet. */
  readonly cancelling: boolean;
  /** Why the last request was refused, or the stream cannot be followed. */
  readonly error: TailraceError | null;
  /** A sentence about what has just changed, for a live region. Progress alone says nothing. */
  readonly announcement: string;
}

type View<Result> = StreamView<unknown, JobFold<Result>>;

/** A view of one job at a time. It connects while it is attached. */
export class JobView<Result = unknown> {
  readonly api: string;
  readonly subscribe: (listener: () => void) => () => void;
  readonly getSnapshot: () => JobViewSnapshot<Result>;
  /** What there is before anything was attached: on a server, and while a page wakes up. */
  readonly getServerSnapshot: () => JobViewSnapshot<Result>;
  /** Connects. Returns the leave, which closes the connection and never stops the job. */
  readonly attach: () => () => void;
  readonly #store: Store<JobViewSnapshot<Result>>;
  #options: JobViewOptions;
  #view: View<Result> | undefined;
  #id: string | null = null;
  #isAttached = false;
  /** Leaves the view's stream. */
  #detach: (() => void) | undefined;
  #isPosting = false;
  #isCancelling = false;
  #error: TailraceError | null = null;
  #status: JobViewSnapshot["status"] = "idle";
  #announcement = "";

  constructor(options: JobViewOptions = {}) {
    this.api = options.api ?? "/api/jobs";
    this.#options = options;
    this.#open(options.id ?? null);
    const first = this.#snapshot();
    this.#store = new Store(first);
    this.subscribe = this.#store.subscribe;
    this.getSnapshot = this.#store.getSnapshot;
    this.getServerSnapshot = () => first;
    this.attach = createAttachment(
      () => {
        this.#isAttached = true;
        this.#listen();
      },
      () => {
        this.#isAttached = false;
        this.#leave();
      },
    );
  }

  /** Sets the options as they are now; `api` and `id` stay. */
  setOptions(options: JobViewOptions): void {
    this.#options = options;
  }

  /** Follows another job, or none. The same one again changes nothing. */
  follow(id: string | null): void {
    if (id === this.#id) return;
    this.#leave();
    this.#open(id);
    this.#error = null;
    if (this.#isAttached) this.#listen();
    this.#commit();
  }

  /**
   * Starts a job, by a POST of `{ ...input, kind }`, and follows it. Gives its id; null, with the reason in `error`, when the
   * server has not started it, or while another request is under way. Never rejects.
   */
  start(kind: string, input: object = {}): Promise<string | null> {
    return this.#post(this.api, { ...input, kind });
  }

  /** Starts a new job of the same kind and input, and follows it. As `start`; null too when there is no job. */
  async retry(): Promise<string | null> {
    return this.#id === null ? null : this.#post(jobUrl(this.api, this.#id, "retry"));
  }

  /** Cancels the job, by a DELETE. True once the server has agreed; the end comes by the stream. Never rejects. */
  async cancel(): Promise<boolean> {
    const view = this.#view;
    if (view === undefined || this.#isCancelling || view.getSnapshot().end !== null) return false;
    this.#isCancelling = true;
    this.#commit();
    const isAgreed = await view.stop();
    if (view !== this.#view) return isAgreed;
    if (!isAgreed) this.#isCancelling = false;
    this.#commit();
    return isAgreed;
  }

  async #post(url: string, body?: object): Promise<string | null> {
    if (this.#isPosting) return null;
    this.#isPosting = true;
    this.#error = null;
    this.#commit();
    const { headers, credentials, fetch } = this.#options;
    const place: JobPlace = { api: this.api, headers, credentials, fetch };
    let id: string | null = null;
    let failure: TailraceError | null = null;
    try {
      id = await postJob(place, url, body);
    } catch (cause) {
      failure = isTailraceError(cause)
        ? cause
        : new TailraceError("connection_failed", "The job could not be started; see the cause.", { cause });
    }
    this.#isPosting = false;
    if (id !== null) this.follow(id);
    this.#error = failure;
    this.#commit();
    return id;
  }

  /** Makes the view of a job's stream; nothing is sent before it is attached. */
  #open(id: string | null): void {
    this.#id = id;
    this.#isCancelling = false;
    this.#view = undefined;
    if (id === null) return;
    const { maxLogLineCount = DEFAULT_MAX_LOG_LINE_COUNT, credentials, fetch, connection } = this.#options;
    this.#view = new StreamView<unknown, JobFold<Result>>(jobUrl(this.api, id), {
      ...connection,
      credentials,
      fetch,
      headers: async (info) => {
        const { headers } = this.#options;
        return (typeof headers === "function" ? await headers(info) : headers) ?? {};
      },
      maxItems: 0,
      initial: new JobFold<Result>(id, maxLogLineCount),
      reduce: (fold, item) => {
        fold.take(item);
        return fold;
      },
    });
  }

  #listen(): void {
    const view = this.#view;
    if (view === undefined || this.#detach !== undefined) return;
    const unsubscribe = view.subscribe(() => this.#commit());
    const leave = view.attach();
    this.#detach = () => {
      leave();
      unsubscribe();
    };
  }

  #leave(): void {
    this.#detach?.();
    this.#detach = undefined;
  }

  #snapshot(): JobViewSnapshot<Result> {
    const stream = this.#view?.getSnapshot();
    const fold = stream?.value;
    const known = fold?.job.kind === undefined && stream?.end === null ? undefined : fold?.job;
    const { reason, message } = stream?.end ?? {};
    const job = known !== undefined && reason !== undefined ? endJob(known, { reason, message }) : (known ?? null);
    const status = this.#isPosting ? "starting" : (job?.state ?? (this.#view === undefined ? "idle" : "loading"));
    if (status !== this.#status) this.#announcement = sentenceOf(status, job) ?? this.#announcement;
    this.#status = status;
    return {
      id: this.#id,
      status,
      job,
      logs: fold?.logs ?? [],
      droppedLogCount: fold?.droppedLogCount ?? 0,
      connection: stream?.status ?? "idle",
      cancelling: this.#isCancelling && job?.end === undefined,
      error: this.#error ?? stream?.error ?? null,
      announcement: this.#announcement,
    };
  }

  #commit(): void {
    this.#store.set(this.#snapshot());
  }
}

function sentenceOf(status: JobViewSnapshot["status"], job: JobSnapshot | null): string | undefined {
  switch (status) {
    case "queued":
      return "The job waits for its turn";
    case "running":
      return "The job is running";
    case "completed":
      return "The job is done";
    case "stopped":
      return "The job was stopped";
    case "failed":
      return job?.failure === undefined ? "The job failed" : `The job failed: ${job.failure.message}`;
    case "interrupted":
      return "The job was interrupted";
    default:
      return undefined;
  }
}
