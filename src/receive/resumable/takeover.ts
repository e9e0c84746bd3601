// Who may change an upload: one request at a time, and always the newest. A request never waits for a dead connection of its own
// sender: it ends the one before it, waits until that has settled, and then reads the offset. Between processes a line does the same.

import { TailraceError } from "../../errors.ts";
import type { Hold, UploadLine } from "./upload-line.ts";

/** The requests that may wait for one upload while it is being delivered. */
export const MAX_WAITING_COUNT = 64;

interface Line {
  last: { readonly done: Promise<void>; readonly controller: AbortController };
  count: number;
}

const LINES: unique symbol = Symbol.for("tailrace.uploads.lines.1");

/** One per process, though Next.js may load this module several times. */
function lines(): Map<string, Line> {
  const host = globalThis as { [LINES]?: Map<string, Line> };
  return (host[LINES] ??= new Map());
}

/**
 * Ends whatever appends to the upload `id` at `place`, and resolves once that has settled. Other processes meet in `line`.
 *
 * @throws {TailraceError} `limit_exceeded` (503) if 64 requests wait already; a fault of the line's store
 */
export async function takeOver(place: string, id: string, line?: UploadLine): Promise<Hold> {
  const here = await takeOverHere(place, id);
  if (line === undefined) return here;
  try {
    const everywhere = await line.enter(id);
    return {
      signal: AbortSignal.any([here.signal, everywhere.signal]),
      release() {
        everywhere.release(); // first: whoever follows in this process stands behind us in the line
        here.release();
      },
    };
  } catch (error) {
    here.release();
    throw error;
  }
}

async function takeOverHere(place: string, id: string): Promise<Hold> {
  const key = `${place}\0${id}`;
  const line = lines().get(key);
  if (line !== undefined && line.count > MAX_WAITING_COUNT) {
    throw new TailraceError(
      "limit_exceeded",
      `${MAX_WAITING_COUNT} requests wait for this upload already; try again in a second.`,
      { status: 503 },
    );
  }
  const controller = new AbortController();
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const mine = { done, controller };
  let current: Line;
  if (line === undefined) {
    current = { last: mine, count: 1 };
    lines().set(key, current);
  } else {
    current = line;
    const before = line.last;
    line.last = mine;
    line.count++;
    before.controller.abort();
    await before.done;
  }
  let isHeld = true;
  return {
    signal: controller.signal,
    release() {
      if (!isHeld) return;
      isHeld = false;
      current.count--;
      if (current.count === 0) lines().delete(key);
      resolve();
    },
  };
}

/** How many uploads are held or waited for in this process: for tests. */
export function heldCount(): number {
  return lines().size;
}
