// Who runs and who waits, in this process: first come, first served, within a limit for all jobs and one for each kind.

import type { Clock } from "../clock.ts";
import { TailraceError } from "../errors.ts";

/** A place further back than this is not told: it says little, and telling all of them costs much. */
export const MAX_TOLD_POSITION = 20;
/** A job that waits is told its place at most so often: 1,000 ms. */
const POSITION_INTERVAL_MS = 1_000;

export interface JobQueueOptions {
  /** How many jobs run at the same time. */
  readonly maxRunningCount: number;
  /** How many may wait. */
  readonly maxQueuedCount: number;
  readonly clock: Clock;
}

/** What a ticket is told. */
export interface TicketListener {
  /** Its turn has come; once. */
  onTurn(): void;
  onPosition(position: number): void;
}

/** A place in the queue, then a slot. */
export interface Ticket {
  /** 1 is the next one; 0: it has its slot. */
  readonly position: number;
  /** Begins to tell `listener`; its turn may have come already. */
  listen(listener: TicketListener): void;
  /** Gives the place or the slot back. Calling it again does nothing. */
  leave(): void;
}

interface Lane {
  maxRunningCount: number;
  runningCount: number;
  /** Oldest first. */
  readonly waiting: QueueTicket[];
}

export class JobQueue {
  readonly #options: JobQueueOptions;
  readonly #lanes = new Map<string, Lane>();
  #runningCount = 0;
  #waitingCount = 0;
  #sequence = 0;
  #newestOrder = -Infinity;
  #cancelTick: (() => void) | undefined;

  constructor(options: JobQueueOptions) {
    this.#options = options;
  }

  get counts(): { readonly running: number; readonly queued: number } {
    return { running: this.#runningCount, queued: this.#waitingCount };
  }

  /** How many jobs of `kind` run at the same time, at most. */
  setLimit(kind: string, maxRunningCount: number): void {
    this.#lane(kind).maxRunningCount = maxRunningCount;
    this.#fill();
  }

  /**
   * Takes a place, in the order of the calls.
   *
   * @param order where it belongs among those that wait, for a job that has waited before: when that was, in milliseconds.
   * Such a job has been accepted once, and is taken however many wait.
   * @throws {TailraceError} `queue_full`
   */
  enter(kind: string, order?: number): Ticket {
    const lane = this.#lane(kind);
    const { maxQueuedCount, clock } = this.#options;
    const mayStart = this.#mayStart(lane) && lane.waiting.length === 0;
    if (!mayStart && order === undefined && this.#waitingCount >= maxQueuedCount) throw queueFull(maxQueuedCount);
    // Never before one that came earlier, whatever the clock says.
    this.#newestOrder = Math.max(this.#newestOrder, order ?? clock.now());
    const ticket = new QueueTicket(order ?? this.#newestOrder, ++this.#sequence, (left) => this.#leave(lane, left));
    insert(lane.waiting, ticket);
    this.#waitingCount++;
    this.#fill();
    if (ticket.isWaiting) {
      ticket.position = this.#waitingCount;
      if (order !== undefined) this.#moved();
    }
    return ticket;
  }

  #lane(kind: string): Lane {
    let lane = this.#lanes.get(kind);
    if (lane === undefined) {
      lane = { maxRunningCount: Infinity, runningCount: 0, waiting: [] };
      this.#lanes.set(kind, lane);
    }
    return lane;
  }

  #mayStart(lane: Lane): boolean {
    return this.#runningCount < this.#options.maxRunningCount && lane.runningCount < lane.maxRunningCount;
  }

  #leave(lane: Lane, ticket: QueueTicket): void {
    if (ticket.isWaiting) {
      lane.waiting.splice(lane.waiting.indexOf(ticket), 1);
      this.#waitingCount--;
      this.#moved();
    } else {
      this.#runningCount--;
      lane.runningCount--;
      this.#fill();
    }
  }

  /** Gives the free slots to those that have waited longest. */
  #fill(): void {
    for (;;) {
      let next: Lane | undefined;
      for (const lane of this.#lanes.values()) {
        const first = lane.waiting[0];
        if (first === undefined || !this.#mayStart(lane)) continue;
        if (next === undefined || isBefore(first, next.waiting[0]!)) next = lane;
      }
      const ticket = next?.waiting.shift();
      if (next === undefined || ticket === undefined) return;
      this.#waitingCount--;
      this.#runningCount++;
      next.runningCount++;
      this.#moved();
      ticket.grant();
    }
  }

  /** The places have changed: they are told within the second, all in one. */
  #moved(): void {
    if (this.#waitingCount === 0) {
      this.#cancelTick?.();
      this.#cancelTick = undefined;
      return;
    }
    this.#cancelTick ??= this.#options.clock.after(POSITION_INTERVAL_MS, () => {
      this.#cancelTick = undefined;
      this.#tellPositions();
    });
  }

  #tellPositions(): void {
    // What stands further back in its lane stands further back among all.
    const first = [...this.#lanes.values()].flatMap((lane) => lane.waiting.slice(0, MAX_TOLD_POSITION));
    first.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    for (const [index, ticket] of first.slice(0, MAX_TOLD_POSITION).entries()) ticket.moveTo(index + 1);
  }
}

class QueueTicket implements Ticket {
  readonly order: number;
  readonly sequence: number;
  readonly #onLeave: (ticket: QueueTicket) => void;
  position = 0;
  isWaiting = true;
  #hasLeft = false;
  #listener: TicketListener | undefined;

  constructor(order: number, sequence: number, onLeave: (ticket: QueueTicket) => void) {
    this.order = order;
    this.sequence = sequence;
    this.#onLeave = onLeave;
  }

  listen(listener: TicketListener): void {
    this.#listener = listener;
    if (!this.isWaiting && !this.#hasLeft) listener.onTurn();
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#onLeave(this);
  }

  grant(): void {
    this.isWaiting = false;
    this.position = 0;
    this.#listener?.onTurn();
  }

  moveTo(position: number): void {
    if (position === this.position) return;
    this.position = position;
    this.#listener?.onPosition(position);
  }
}

function isBefore(a: QueueTicket, b: QueueTicket): boolean {
  return a.order < b.order || (a.order === b.order && a.sequence < b.sequence);
}

/** Usually at the end: only a job that has waited before belongs further to the front. */
function insert(waiting: QueueTicket[], ticket: QueueTicket): void {
  let index = waiting.length;
  while (index > 0 && isBefore(ticket, waiting[index - 1]!)) index--;
  waiting.splice(index, 0, ticket);
}

function queueFull(maxQueuedCount: number): TailraceError {
  const message = `${maxQueuedCount.toLocaleString("en")} jobs wait already, which is the most; try again later.`;
  return new TailraceError("queue_full", message, { details: { maxQueuedCount } });
}
