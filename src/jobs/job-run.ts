// One job from its place in the queue to its end: the source that its run is made from.

import type { Source, SourceContext } from "../bytes/source.ts";
import { afterTurn, type Clock } from "../clock.ts";
import { isTailraceError, TailraceError } from "../errors.ts";
import type { JobItem, JobLogLevel, JobQueuedItem } from "../wire/job-items.ts";
import { JobFeed } from "./job-feed.ts";
import type { JobContext, JobKind } from "./job-kind.ts";
import { ProgressMeter } from "./job-progress.ts";
import type { Ticket } from "./job-queue.ts";

/** The largest checkpoint, in characters of JSON: 1 MiB. */
export const MAX_CHECKPOINT_CHARS = 1_048_576;

export interface JobRunOptions {
  readonly id: string;
  readonly definition: JobKind;
  readonly input: unknown;
  /** The first item; what else it says is added here. */
  readonly first: Omit<JobQueuedItem, "type" | "state" | "position" | "atMs">;
  readonly ticket: Ticket;
  readonly clock: Clock;
  readonly resumed?: { readonly checkpoint: unknown } | undefined;
  /** Lines that the job has logged before. Default 0. */
  readonly logLineCount?: number | undefined;
  /** Called when the job begins to wait; what it returns, once, when the slot or place has been given back. */
  readonly onOpen: () => () => void;
}

/**
 * The items of a job. The task starts when the job's turn has come, and its slot is given back when it has settled: a task
 * that ignores its signal keeps its slot.
 */
export function jobSource(options: JobRunOptions): Source<JobItem> {
  return ({ signal }: SourceContext): JobFeed => {
    const { ticket, clock, first } = options;
    const feed = new JobFeed({ clock, logLineCount: options.logLineCount });
    const left = options.onOpen();
    let hasBegun = false;
    const leave = (): void => {
      signal.removeEventListener("abort", abandon);
      ticket.leave();
      left();
    };
    const abandon = (): void => {
      if (!hasBegun) leave();
    };
    const begin = (): void => {
      if (signal.aborted) return;
      hasBegun = true;
      void work(options, feed, signal).finally(leave);
    };
    feed.push({ type: "state", state: "queued", ...first, position: ticket.position, atMs: clock.now() });
    if (signal.aborted) {
      abandon(); // it was stopped while its process was looking for what it has left
      return feed;
    }
    signal.addEventListener("abort", abandon, { once: true });
    ticket.listen({
      onTurn: () => {
        feed.push({ type: "state", state: "running", atMs: clock.now() });
        afterTurn(begin); // whoever started the job gets an answer before the task takes the thread
      },
      onPosition: (position) => feed.push({ type: "state", state: "queued", position }),
    });
    return feed;
  };
}

/** Runs the task. Never rejects. */
async function work(options: JobRunOptions, feed: JobFeed, signal: AbortSignal): Promise<void> {
  const { definition, clock } = options;
  try {
    const value = await definition.task(contextOf(options, feed, signal));
    feed.end({ type: "result", ...(value === undefined ? {} : { value }), atMs: clock.now() });
  } catch (error) {
    if (signal.aborted) return; // a task that was told to stop may well throw
    feed.fail(error, failureItem(error, clock.now()));
  }
}

function contextOf(options: JobRunOptions, feed: JobFeed, signal: AbortSignal): JobContext {
  const { id, definition, input, clock, resumed } = options;
  const meter = new ProgressMeter(clock);
  return {
    id,
    input,
    signal,
    resumed,
    progress(done, total, note) {
      if (meter.add(done, total, note)) feed.progress(meter.read);
    },
    log(text, level: JobLogLevel = "info") {
      feed.log(level, text);
    },
    checkpoint(value) {
      if (definition.options.carriesOn === true) feed.checkpoint(checkpointText(value));
    },
  };
}

/** What readers may know of a failure: what the task threw in words that are meant for them. */
function failureItem(error: unknown, atMs: number): JobItem | undefined {
  if (!isTailraceError(error) || error.status >= 500) return undefined;
  return { type: "failure", message: error.message, code: error.code, atMs };
}

function checkpointText(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new TailraceError("encode_refused", "A checkpoint has to be JSON (a bigint, or a circle?).", { cause });
  }
  if (text === undefined)
    throw new TailraceError("encode_refused", `A checkpoint has to be JSON, not of type ${typeof value}.`);
  if (text.length > MAX_CHECKPOINT_CHARS) {
    const most = MAX_CHECKPOINT_CHARS.toLocaleString("en");
    const message = `A checkpoint has ${text.length.toLocaleString("en")} characters of JSON, and may have ${most}; keep less in it.`;
    throw new TailraceError("limit_exceeded", message, { details: { maxCheckpointChars: MAX_CHECKPOINT_CHARS } });
  }
  return text;
}
