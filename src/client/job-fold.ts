// What a view of a job is made of: the job as it stands, and the last of its lines, folded from the events of its stream.

import { emptyJob, foldJob, type JobItem, type JobLogLine, type JobSnapshot } from "../wire/job-items.ts";
import type { StreamItem } from "./stream-types.ts";

const TYPES: ReadonlySet<string> = new Set<JobItem["type"]>([
  "state",
  "progress",
  "log",
  "checkpoint",
  "result",
  "failure",
]);

/** Takes events one at a time; what it shows is made when it is asked for, so that a long replay costs no copy per line. */
export class JobFold<Result> {
  readonly #maxLogLineCount: number;
  #job: JobSnapshot<Result>;
  #lines: JobLogLine[] = [];
  #droppedCount = 0;
  #shown: readonly JobLogLine[] | undefined = [];

  constructor(id: string, maxLogLineCount: number) {
    this.#job = emptyJob(id);
    this.#maxLogLineCount = maxLogLineCount;
  }

  get job(): JobSnapshot<Result> {
    return this.#job;
  }

  /** The last lines, oldest first. The same array as long as no line comes. */
  get logs(): readonly JobLogLine[] {
    if (this.#shown === undefined) {
      this.#trim();
      this.#shown = this.#lines.slice();
    }
    return this.#shown;
  }

  /** Lines that came and are not kept any more. */
  get droppedLogCount(): number {
    return this.#droppedCount + Math.max(0, this.#lines.length - this.#maxLogLineCount);
  }

  /** An event that no job knows changes nothing. */
  take({ event, data }: StreamItem<unknown>): void {
    if (!TYPES.has(event) || typeof data !== "object" || data === null) return;
    const item = { ...data, type: event } as JobItem<Result>;
    this.#job = foldJob(this.#job, item);
    if (item.type !== "log") return;
    const { level, text, atMs } = item;
    this.#lines.push({ level, text, atMs });
    this.#shown = undefined;
    if (this.#lines.length > 2 * this.#maxLogLineCount) this.#trim(); // now and then, and not for each line
  }

  #trim(): void {
    const over = this.#lines.length - this.#maxLogLineCount;
    if (over <= 0) return;
    this.#droppedCount += over;
    this.#lines.splice(0, over);
  }
}
