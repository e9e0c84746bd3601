// A job as its stream tells it, without reading all of a long one.

import { isUnknown } from "../log/named.ts";
import type { InterruptedRun } from "../log/takeover.ts";
import type { ReadStream } from "../log/read.ts";
import type { Streams } from "../log/streams.ts";
import { emptyJob, endJob, foldJob, type JobItem, type JobSnapshot } from "../wire/job-items.ts";

/** What a job began with stands among so many first items. */
const HEAD_ITEMS = 64;
/** And how it stands now among so many last ones: its progress is told again every 500. */
const TAIL_ITEMS = 1_024;
/** One read of a stream that is read whole. */
const PART_ITEMS = 1_000;

/** The snapshot of the job whose stream is `name`; undefined if there is none. */
export async function readJob(streams: Streams, name: string, id: string): Promise<JobSnapshot | undefined> {
  try {
    let job = emptyJob(id);
    const head = await streams.read<JobItem>(name, { maxItems: HEAD_ITEMS });
    for (const { value } of head.entries) job = foldJob(job, value);
    const last = head.entries.at(-1);
    let { end } = head;
    if (last !== undefined && last.offset !== head.tail) {
      const beforeTail = await streams.store.offsetBeforeLast(name, TAIL_ITEMS);
      let after: string | undefined = beforeTail > last.offset ? beforeTail : last.offset;
      // Once, unless the job has gone on meanwhile: its end must not be told without its result.
      while (after !== undefined) {
        const tail: ReadStream<JobItem> = await streams.read<JobItem>(name, { after, maxItems: TAIL_ITEMS });
        for (const { value } of tail.entries) job = foldJob(job, value);
        ({ end } = tail);
        const read = tail.entries.at(-1)?.offset;
        after = read === tail.tail ? undefined : read;
      }
    }
    return end === undefined ? job : endJob(job, end);
  } catch (error) {
    if (isUnknown(error)) return undefined;
    throw error;
  }
}

/** What a job that lost its process has left. */
export interface LeftJob {
  readonly job: JobSnapshot;
  readonly hasRun: boolean;
  readonly checkpoint: unknown;
  readonly logLineCount: number;
  readonly hasResult: boolean;
}

/** Reads the whole stream of a job that lost its process, a part at a time. */
export async function readLeftJob(run: InterruptedRun, id: string): Promise<LeftJob> {
  let left: LeftJob = { job: emptyJob(id), hasRun: false, checkpoint: undefined, logLineCount: 0, hasResult: false };
  let after: string | undefined;
  for (;;) {
    const { entries, tail } = await run.read<JobItem>({ after, maxItems: PART_ITEMS });
    for (const { value } of entries) left = foldLeft(left, value);
    after = entries.at(-1)?.offset;
    if (after === undefined || after === tail || run.signal.aborted) return left;
  }
}

function foldLeft(left: LeftJob, item: JobItem): LeftJob {
  const job = foldJob(left.job, item);
  switch (item.type) {
    case "checkpoint":
      return { ...left, job, checkpoint: item.value };
    case "log":
      return { ...left, job, logLineCount: left.logLineCount + 1 };
    case "result":
      return { ...left, job, hasResult: true };
    default:
      return { ...left, job, hasRun: left.hasRun || job.state === "running" };
  }
}
