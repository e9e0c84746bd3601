// When a run has lost its owner, and what becomes of it then: one set of rules for every store that runs in this process.

import { TailraceError } from "../errors.ts";
import type { End } from "../wire/format.ts";
import type { CarryOn } from "./store.ts";

/** The longest kind, in UTF-16 code units. */
export const MAX_KIND_LENGTH = 128;
/** The longest that a run may wait to be carried on, in milliseconds: a week. */
export const MAX_CARRY_ON_MS = 604_800_000;

/**
 * How often a run is taken over from dead owners in a row that have written nothing: one that kills every process that
 * carries it on would go round for ever.
 */
export const MAX_IDLE_TAKEOVERS = 5;

/** How often a run was taken over from a dead owner since it had another tail. */
export interface Tries {
  readonly count: number;
  readonly tail: number;
}

/** The tries with one more takeover from a dead owner, or `too many` if that may not be. */
export function nextTry(tries: Tries | undefined, tail: number): Tries | "too many" {
  const count = tries?.tail === tail ? tries.count + 1 : 1;
  return count > MAX_IDLE_TAKEOVERS ? "too many" : { count, tail };
}

/** What the rules need to know of a run. */
export interface RunState {
  readonly owner: string | undefined;
  readonly end: End | undefined;
  readonly stopRequested: boolean;
  readonly carryOn: CarryOn | undefined;
  /** When its owner gave it up; undefined while it has one, dead or alive. */
  readonly releasedAtMs: number | undefined;
  /** Until when its owner's lease lasts; undefined if there is none. */
  readonly leaseUntilMs: number | undefined;
}

/**
 * How a run stands: nobody writes it (`none`), its owner does (`owned`), it waits for a process that carries it on
 * (`waiting`), or it must end (`stopped`, `interrupted`).
 */
export function fateOf(run: RunState, nowMs: number): "none" | "owned" | "waiting" | "stopped" | "interrupted" {
  if (run.owner === undefined || run.end !== undefined) return "none";
  const orphanedAtMs = run.releasedAtMs ?? run.leaseUntilMs ?? 0;
  if (run.releasedAtMs === undefined && orphanedAtMs > nowMs) return "owned";
  if (run.carryOn === undefined) return "interrupted";
  if (run.stopRequested) return "stopped";
  return nowMs < orphanedAtMs + run.carryOn.withinMs ? "waiting" : "interrupted";
}

/** @throws {TailraceError} `input_invalid` */
export function checkCarryOn(carryOn: CarryOn | undefined): void {
  if (carryOn === undefined) return;
  const { kind, withinMs } = carryOn;
  checkKind(kind);
  if (Number.isInteger(withinMs) && withinMs >= 0 && withinMs <= MAX_CARRY_ON_MS) return;
  const message = `carryOnWithinMs is ${withinMs}; give whole milliseconds from 0 to ${MAX_CARRY_ON_MS}.`;
  throw new TailraceError("input_invalid", message, { details: { field: "carryOnWithinMs" } });
}

/** @throws {TailraceError} `input_invalid` */
export function checkKind(kind: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (kind.length > 0 && kind.length <= MAX_KIND_LENGTH && !/[\u0000-\u001f\u007f]/.test(kind) && kind.isWellFormed())
    return;
  throw new TailraceError(
    "input_invalid",
    `A kind of run has 1 to ${MAX_KIND_LENGTH} characters and no control characters; this one has ${kind.length} characters.`,
    { details: { field: "carryOn" } },
  );
}
