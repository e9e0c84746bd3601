// The good order in which a server goes away: runs are ended, readers are sent away, the rest is cut, the stores are closed.

import { openReplies } from "./open-replies.ts";

export interface ShutdownOptions {
  /** The streams to drain and close; their runs end as `interrupted`, or are given up to be carried on. */
  readonly streams?: readonly { drain(): Promise<void>; close(): Promise<void> }[] | undefined;
  /** How long replies that cannot be resumed (NDJSON, text) may still take, in milliseconds. Default 3,000. */
  readonly graceMs?: number | undefined;
}

const DEFAULT_GRACE_MS = 3_000;
const LOOK_MS = 20;

/**
 * Ends what is open, so that the process can exit: runs end as `interrupted` and their readers are told, but for those that
 * another process carries on; other event streams end without an end event, so that their readers come back to the next
 * server; what cannot be resumed may finish within `graceMs` and is then cut. The host stops taking new connections before
 * it calls this.
 */
export async function shutdown(options: ShutdownOptions = {}): Promise<void> {
  const { streams = [], graceMs = DEFAULT_GRACE_MS } = options;
  const replies = openReplies();
  await Promise.all(streams.map((each) => each.drain()));
  await nextTurn(); // the followers of those runs write their ends first
  for (const reply of [...replies]) reply.wind();
  const until = performance.now() + graceMs;
  while (replies.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  for (const reply of [...replies]) reply.cut();
  await Promise.all(streams.map((each) => each.close()));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
