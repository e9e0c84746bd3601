// What a job tells, on its way to the log: never in the task's way, in order, and bounded. Lines wait up to a limit; of
// progress and checkpoints only the newest waits.

import { DONE } from "../bytes/source.ts";
import type { Clock } from "../clock.ts";
import type { JobItem, JobLogLevel, JobProgress } from "../wire/job-items.ts";
import { Latest } from "./latest.ts";

/** The longest line, in characters; what is longer is cut. */
export const MAX_LOG_TEXT_CHARS = 4_000;
/** The most lines of one job. One more says that there were more. */
export const MAX_LOG_LINE_COUNT = 10_000;
/** How much of lines may wait for a slow store, in characters, 64 counted on top for each line: 1 MiB. */
export const MAX_WAITING_LOG_CHARS = 1_048_576;
const LINE_COST_CHARS = 64;
/** The newest progress is told again after so many items, so that it stands among the last ones of the stream. */
const REPEAT_PROGRESS_AFTER_COUNT = 500;

const CUT_MARK = " […]";

export interface JobFeedOptions {
  readonly clock: Clock;
  /** Lines that the job has logged before it was carried on. Default 0. */
  readonly logLineCount?: number | undefined;
}

type Answer = IteratorResult<JobItem, undefined> | Promise<IteratorResult<JobItem, undefined>>;

/** The items of one job, as a source that a run can be made from. Made for one reader. */
export class JobFeed implements AsyncIterableIterator<JobItem, undefined> {
  readonly #clock: Clock;
  #queue: JobItem[] = [];
  #waitingLogChars = 0;
  #logLineCount: number;
  /** Lines left out since the last one that was kept. */
  #leftOutCount = 0;
  /** Read when it is told: reports that nobody is told of cost next to nothing. */
  readonly #progress: Latest<() => JobProgress>;
  /** As JSON text: the task may go on with the value that it gave. */
  readonly #checkpoint: Latest<string>;
  #toldProgress: JobItem | undefined;
  #sinceProgressCount = 0;
  #end: { readonly error?: unknown } | undefined;
  #isClosed = false;
  #wanted: ((result: Answer) => void) | undefined;

  constructor(options: JobFeedOptions) {
    this.#clock = options.clock;
    this.#logLineCount = options.logLineCount ?? 0;
    this.#progress = new Latest(this.#clock, this.#give);
    this.#checkpoint = new Latest(this.#clock, this.#give);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** An item that must not be left out. */
  push(item: JobItem): void {
    if (this.#isOver) return;
    this.#queue.push(item);
    this.#give();
  }

  progress(read: () => JobProgress): void {
    if (this.#isOver) return;
    this.#progress.offer(read);
    this.#give();
  }

  checkpoint(text: string): void {
    if (this.#isOver) return;
    this.#checkpoint.offer(text);
    this.#give();
  }

  log(level: JobLogLevel, given: string): void {
    // A line must never be what a task fails of, so a value that is no text is told as what it is.
    const text = typeof given === "string" ? given : `(${typeof given})`;
    if (this.#isOver || this.#logLineCount > MAX_LOG_LINE_COUNT) return;
    const cost = Math.min(text.length, MAX_LOG_TEXT_CHARS) + LINE_COST_CHARS;
    if (this.#waitingLogChars + cost > MAX_WAITING_LOG_CHARS) {
      this.#leftOutCount++;
      return;
    }
    this.#tellLeftOut();
    this.#addLine(level, cutText(text));
  }

  /** Ends the feed: what waits is given first, the newest progress too. */
  end(last?: JobItem): void {
    this.#finish(last, {});
  }

  fail(error: unknown, last?: JobItem): void {
    this.#finish(last, { error });
  }

  next(): Promise<IteratorResult<JobItem, undefined>> {
    const ready = this.#ready();
    if (ready !== undefined) return ready;
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }

  /** Nobody reads any more. */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#isClosed = true;
    this.#queue = [];
    this.#progress.release();
    this.#checkpoint.release();
    this.#wanted?.(DONE);
    this.#wanted = undefined;
    return Promise.resolve(DONE);
  }

  get #isOver(): boolean {
    return this.#end !== undefined || this.#isClosed;
  }

  #finish(last: JobItem | undefined, end: { readonly error?: unknown }): void {
    if (this.#isOver) return;
    this.#tellLeftOut();
    this.#checkpoint.release(); // what has ended is not carried on
    this.#progress.hurry();
    const progress = this.#progress.take();
    if (progress !== undefined) this.#queue.push({ type: "progress", ...progress() });
    if (last !== undefined) this.#queue.push(last);
    this.#end = end;
    this.#give();
  }

  #addLine(level: JobLogLevel, text: string): void {
    this.#logLineCount++;
    const atMs = this.#clock.now();
    if (this.#logLineCount <= MAX_LOG_LINE_COUNT) {
      this.#waitingLogChars += text.length + LINE_COST_CHARS;
      this.push({ type: "log", level, text, atMs });
      return;
    }
    const most = MAX_LOG_LINE_COUNT.toLocaleString("en");
    this.push({ type: "log", level: "warn", text: `A job keeps ${most} lines; the rest is left out.`, atMs });
  }

  #tellLeftOut(): void {
    if (this.#leftOutCount === 0) return;
    const lines = this.#leftOutCount === 1 ? "1 line was" : `${this.#leftOutCount.toLocaleString("en")} lines were`;
    this.#leftOutCount = 0;
    this.#addLine("warn", `${lines} left out here: they came faster than the store could take them.`);
  }

  readonly #give = (): void => {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    const ready = this.#ready();
    if (ready === undefined) return;
    this.#wanted = undefined;
    wanted(ready);
  };

  #ready(): Promise<IteratorResult<JobItem, undefined>> | undefined {
    if (this.#isClosed) return Promise.resolve(DONE);
    const item = this.#next();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#end === undefined) return undefined;
    this.#isClosed = true;
    return "error" in this.#end ? Promise.reject(this.#end.error) : Promise.resolve(DONE);
  }

  #next(): JobItem | undefined {
    if (this.#sinceProgressCount >= REPEAT_PROGRESS_AFTER_COUNT && this.#toldProgress !== undefined) {
      this.#sinceProgressCount = 0;
      return this.#toldProgress;
    }
    this.#sinceProgressCount++;
    const [item] = this.#queue;
    // Lines that keep coming must not keep back the progress; but nothing goes before a change of the state.
    const newest = item === undefined || item.type === "log" ? this.#newest() : undefined;
    if (newest !== undefined || item === undefined) return newest;
    this.#queue.shift();
    if (item.type === "log") this.#waitingLogChars -= item.text.length + LINE_COST_CHARS;
    return item;
  }

  #newest(): JobItem | undefined {
    if (this.#end !== undefined) return undefined; // it stands in the queue
    const text = this.#checkpoint.take();
    if (text !== undefined) return { type: "checkpoint", value: JSON.parse(text) as unknown };
    const progress = this.#progress.take();
    if (progress === undefined) return undefined;
    this.#sinceProgressCount = 0;
    this.#toldProgress = { type: "progress", ...progress() };
    return this.#toldProgress;
  }
}

function cutText(text: string): string {
  if (text.length <= MAX_LOG_TEXT_CHARS) return text.toWellFormed();
  // Half a surrogate pair at the cut would not survive UTF-8.
  return text.slice(0, MAX_LOG_TEXT_CHARS - CUT_MARK.length).toWellFormed() + CUT_MARK;
}
