// After a crash: reads everything back, has the model compare it, then tries what a producer, a late writer and a new
// owner would do next.

import { isTailraceError } from "../../src/errors.ts";
import type { AppendOptions, Store, StoredItem } from "../../src/log/store.ts";
import { countOf, keyOf, payloadsOf, type Sent } from "./lines.ts";
import type { Oracle, Tally } from "./oracle.ts";
import { Violation, type Content, type Loss } from "./rules.ts";
import { KIND, LEASE_MS } from "./writer.ts";

const READ_LIMITS = { maxItems: 500, maxBytes: 1_048_576 };

export interface Examination {
  /** Names who does what follows; no two examinations of one soak have one name. */
  readonly id: string;
  readonly oracle: Oracle;
  readonly loss: Loss;
  /** Called with what the store holds, before it is compared. */
  readonly beforeCompare?: ((contents: ReadonlyMap<string, Content>) => Promise<void>) | undefined;
  readonly lanes: readonly { readonly id: string; readonly stream: string }[];
}

/** All that `store` holds of `name`. */
export async function contentOf(store: Store, name: string): Promise<Content | undefined> {
  const first = await store.head(name);
  if (first === undefined) return undefined;
  const items: StoredItem[] = [];
  let gaps = 0;
  for (let after = first.start; ;) {
    try {
      const read = await store.read(name, after, READ_LIMITS);
      items.push(...read.items);
      if (read.upToDate) return { head: read.head, items, gaps };
      if (read.items.length === 0)
        throw new Violation(`${name}: a read behind ${after} gives nothing, but there is more`);
      after = items.at(-1)!.offset;
    } catch (error) {
      const earliest = isTailraceError(error, "gap") ? error.details["earliest"] : undefined;
      if (typeof earliest !== "string" || earliest <= after) throw error;
      gaps++;
      after = earliest;
    }
  }
}

/**
 * Compares, then goes on where the crash left off. `ahead` is another store object over the same place whose clock is so far
 * ahead that every lease has run out.
 *
 * @throws {Violation}
 */
export async function examine(store: Store, ahead: Store, examination: Examination): Promise<Tally> {
  const { oracle, loss, lanes, beforeCompare } = examination;
  const contents = new Map<string, Content>();
  for (const name of oracle.streams) {
    const content = await contentOf(store, name);
    if (content !== undefined) contents.set(name, content);
  }
  await beforeCompare?.(contents);
  const tally = oracle.compare(contents, loss);
  const writer = new Writer(store, examination);
  for (const lane of lanes) {
    if (contents.get(lane.stream)?.head.end === undefined && contents.has(lane.stream)) await writer.goOn(lane);
  }
  for (const [name, { head }] of contents) {
    if (head.end !== undefined) await writer.refused(name, {}, ["stream_closed"]);
    else if (head.run !== undefined) await writer.inherit(name, ahead, head.run.carryOn !== undefined);
  }
  return tally;
}

class Writer {
  readonly #store: Store;
  readonly #id: string;
  readonly #oracle: Oracle;
  readonly #loss: Loss;
  #appends = 0;

  constructor(store: Store, { id, oracle, loss }: Examination) {
    this.#store = store;
    this.#id = id;
    this.#oracle = oracle;
    this.#loss = loss;
  }

  /** The producer's state is what its items say: the last is a duplicate, the next but one a gap, the next is kept. */
  async goOn({ id, stream }: { readonly id: string; readonly stream: string }): Promise<void> {
    const last = this.#oracle.placeOf(stream, id);
    const epoch = last?.epoch ?? 0;
    const next = (last?.seq ?? -1) + 1;
    if (last !== undefined) await this.#append(stream, { producer: last }, countOf(last), "duplicate");
    const skipped = { id, epoch, seq: next + 1 };
    await this.refused(stream, { producer: skipped }, ["sequence_gap"]);
    if (epoch > 0) await this.refused(stream, { producer: { id, epoch: epoch - 1, seq: 0 } }, ["fenced"]);
    const producer = { id, epoch, seq: next };
    await this.#append(stream, { producer }, countOf(producer), "written");
  }

  /** The owner of the run is dead: one of two takes it, or it ends. */
  async inherit(stream: string, ahead: Store, canBeCarriedOn: boolean): Promise<void> {
    const old = (await this.#store.head(stream))!.run!.epoch;
    if (!canBeCarriedOn) {
      await ahead.reap();
      await this.#endedAs(stream, "interrupted");
      await this.refused(stream, { epoch: old }, ["fenced", "stream_closed"]);
      return;
    }
    const wasStopped = (await this.#store.head(stream))!.run!.stopRequested;
    if (this.#loss === "nothing" && this.#oracle.wasStopped(stream) && !wasStopped) {
      this.#fail(stream, "was asked to stop, and does not know");
    }
    const owners = ["one", "other"].map((who) => `${this.#id}-${who}`);
    const claims = await Promise.all(owners.map((owner) => ahead.takeOver(stream, owner, LEASE_MS)));
    const taken = claims.filter(({ claimed }) => claimed);
    if (wasStopped) {
      if (taken.length > 0) this.#fail(stream, "was asked to stop, and given to a new owner");
      await this.#endedAs(stream, "stopped");
      return;
    }
    const [claim] = taken;
    if (taken.length !== 1 || claim === undefined) {
      this.#fail(stream, `was given to ${taken.length} of two that asked (${KIND})`);
    }
    if (claim.epoch <= old) this.#fail(stream, `was taken over at epoch ${claim.epoch}, it had ${old} before`);
    this.#oracle.take(this.#id, { is: "owns", stream, epoch: claim.epoch });
    await this.refused(stream, { epoch: old }, ["fenced"]);
    await this.#append(stream, { epoch: claim.epoch }, 2, "written");
    await this.#append(stream, { epoch: claim.epoch, end: { reason: "completed" } }, 1, "written");
    await this.#endedAs(stream, "completed");
  }

  /** An append that must not be made. */
  async refused(stream: string, options: AppendOptions, codes: readonly string[]): Promise<void> {
    try {
      await this.#store.append(stream, payloadsOf({ key: `${this.#id} must not`, count: 1 }), options);
    } catch (error) {
      if (isTailraceError(error) && codes.includes(error.code)) return;
      this.#fail(
        stream,
        `an append with ${JSON.stringify(options)} failed with ${String(error)}, not ${codes.join(" or ")}`,
      );
    }
    this.#fail(stream, `an append with ${JSON.stringify(options)} was taken, not refused as ${codes.join(" or ")}`);
  }

  async #append(stream: string, options: AppendOptions, count: number, wanted: "written" | "duplicate"): Promise<void> {
    const { producer, epoch, end } = options;
    const key = producer === undefined ? `${this.#id}#${this.#appends++}` : keyOf(producer);
    const sent: Sent = { is: "sent", key, stream, count, epoch, producer, end: end?.reason };
    this.#oracle.take(this.#id, sent);
    let result;
    try {
      result = await this.#store.append(stream, payloadsOf(sent), options);
    } catch (error) {
      this.#fail(stream, `${JSON.stringify(sent)} after the crash was refused: ${String(error)}`);
    }
    const { before, tail, duplicate: isDuplicate } = result;
    this.#oracle.take(this.#id, { is: "kept", key, stream, before, tail, isDuplicate });
    if (isDuplicate !== (wanted === "duplicate")) this.#fail(stream, `${key} was to be ${wanted} and was not`);
  }

  async #endedAs(stream: string, reason: string): Promise<void> {
    const end = (await this.#store.head(stream))?.end?.reason;
    if (end !== reason) this.#fail(stream, `was to end as ${reason} and ended as ${end ?? "nothing"}`);
  }

  #fail(stream: string, what: string): never {
    this.#oracle.fail(stream, what);
  }
}
