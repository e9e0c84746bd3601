// Who writes which run of the SQLite store: claims, leases, stops and takeovers, inside a transaction that somebody else
// has begun.

import type { Clock } from "../clock.ts";
import { fateOf, nextTry } from "./run-rules.ts";
import type { StreamTables } from "./sqlite-streams.ts";
import { toHead, type Statements, type StreamRow } from "./sqlite-statements.ts";
import { MAX_ORPHANS, type Beat, type CarryOn, type Claim, type StreamConfig, type StreamHead } from "./store.ts";

export class RunTables {
  readonly #sql: Statements;
  readonly #tables: StreamTables;
  readonly #clock: Clock;

  constructor(sql: Statements, tables: StreamTables, clock: Clock) {
    this.#sql = sql;
    this.#tables = tables;
    this.#clock = clock;
  }

  claim(name: string, owner: string, leaseMs: number, config: StreamConfig, carryOn: CarryOn | undefined): Claim {
    const stream = this.#tables.find(name) ?? this.#tables.make(name, config);
    if (stream.epoch !== 0 || stream.end !== undefined) return refused(stream);
    if (carryOn !== undefined) this.#sql.setCarryOn.run(carryOn.kind, carryOn.withinMs, stream.id);
    return this.#give({ ...stream, carryOn }, owner, leaseMs);
  }

  takeOver(name: string, owner: string, leaseMs: number): Claim {
    const stream = this.#tables.get(name);
    const leaseUntilMs = stream.owner === undefined ? undefined : this.#sql.leaseOf(stream.owner);
    const fate = fateOf({ ...stream, leaseUntilMs }, this.#clock.now());
    if (fate === "stopped") return refused(this.#end(stream, fate));
    if (fate !== "waiting") return refused(stream);
    const tries = stream.releasedAtMs === undefined ? nextTry(stream.tries, stream.tail) : undefined;
    if (tries === "too many") return refused(this.#end(stream, "interrupted"));
    return this.#give({ ...stream, tries }, owner, leaseMs);
  }

  /** The names of runs that wait to be carried on. Changes nothing. */
  orphans(kinds: readonly string[]): readonly string[] {
    return this.#sql.waiting(this.#clock.now(), JSON.stringify(kinds), MAX_ORPHANS).map((stream) => stream.name);
  }

  beat(owner: string, leaseMs: number): Beat {
    this.#sql.setLease.run(owner, this.#clock.now() + leaseMs);
    const running = this.#sql.runsOf(owner);
    return {
      owned: running.map((stream) => stream.name),
      stopRequested: running.filter((stream) => stream.stopRequested).map((stream) => stream.name),
    };
  }

  requestStop(name: string): StreamHead | undefined {
    const stream = this.#tables.find(name);
    if (stream === undefined || stream.owner === undefined || stream.end !== undefined) return stream && toHead(stream);
    if (!stream.stopRequested) this.#sql.setStop.run(this.#sql.nextVersion(), stream.id);
    return toHead({ ...stream, stopRequested: true });
  }

  /** Whether `reap` would do nothing. Changes nothing. */
  isQuiet(): boolean {
    const now = this.#clock.now();
    return this.#sql.due(now).length + this.#sql.expired(now).length === 0;
  }

  reap(): readonly string[] {
    const now = this.#clock.now();
    for (const stream of this.#sql.expired(now)) this.#tables.drop(stream);
    const due = this.#sql.due(now);
    for (const stream of due) {
      const canBeCarriedOn = stream.carryOn !== undefined;
      this.#end(stream, canBeCarriedOn && stream.stopRequested ? "stopped" : "interrupted");
    }
    this.#sql.dropLeases.run(now);
    return due.map((stream) => stream.name);
  }

  #give(stream: StreamRow, owner: string, leaseMs: number): Claim {
    const { tries } = stream;
    this.#sql.setLease.run(owner, this.#clock.now() + leaseMs);
    this.#sql.setOwner.run(owner, tries?.count ?? null, tries?.tail ?? null, this.#sql.nextVersion(), stream.id);
    const epoch = stream.epoch + 1;
    return { claimed: true, epoch, head: toHead({ ...stream, owner, epoch }) };
  }

  #end(stream: StreamRow, reason: "stopped" | "interrupted"): StreamRow {
    this.#sql.setEnd.run(reason, null, this.#sql.nextVersion(), stream.id);
    return { ...stream, end: { reason } };
  }
}

function refused(stream: StreamRow): Claim {
  return { claimed: false, epoch: stream.epoch, head: toHead(stream) };
}
