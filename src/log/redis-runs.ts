// Who writes which run of the Redis store. A run's stream, its owner and the indexes lie in different slots, so that each
// change is several steps. The stream's own step decides; what goes before it only says where to look, and what is left
// behind by a process that dies in between is put right by the next `reap`.

import { TailraceError } from "../errors.ts";
import {
  BEAT,
  CONDEMN,
  FORGET_OWNER,
  FORGET_RUN,
  INDEX_ADD,
  INDEX_DUE,
  INDEX_REMOVE,
  MARK,
  OWNER_ENTRY,
  OWNER_STATE,
  REGISTER,
} from "./redis-owner-scripts.ts";
import { batchesOf, fateWith, isCondemned, isOver, type Entry } from "./redis-entries.ts";
import { QuietRuns } from "./redis-quiet.ts";
import { listOf, ownerKeys, pairsOf, textOf, toHead, toStream, unknownStream, type RedisStream } from "./redis-rows.ts";
import { CLAIM, FINISH, TAKE } from "./redis-run-scripts.ts";
import { HEAD } from "./redis-scripts.ts";
import { MAX_ORPHANS, type Beat, type Claim, type StreamHead } from "./store.ts";
import type { RedisLink } from "./redis-link.ts";

/** The most owners, and the most runs, that one look goes through. */
const MAX_LOOKED_AT = 10_000;
/** How long after it was prepared a claim may still be carried out, in milliseconds; less than an entry is young. */
const MAX_CLAIM_MS = 30_000;

/** Runs one script over a stream's keys. */
export type RunOnStream = (script: string, name: string, args: readonly string[]) => Promise<unknown>;

interface Looked {
  readonly stream: RedisStream | undefined;
  readonly nowMs: number;
}

export class RedisRuns {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #onStream: RunOnStream;
  readonly #owners: string;
  readonly #look: string;
  /** What a beat need not look at. */
  readonly quiet: QuietRuns = new QuietRuns();

  constructor(link: RedisLink, prefix: string, onStream: RunOnStream) {
    this.#link = link;
    this.#prefix = prefix;
    this.#onStream = onStream;
    this.#owners = `${prefix}:owners`;
    this.#look = `${prefix}:look`;
  }

  async claim(name: string, owner: string, leaseMs: number, args: readonly string[]): Promise<Claim> {
    const { nowMs, token } = await this.#register(name, owner, leaseMs);
    const claimArgs = [...args, token, String(nowMs + MAX_CLAIM_MS)];
    return this.#outcome(name, owner, token, await this.#onStream(CLAIM, name, claimArgs));
  }

  async takeOver(name: string, owner: string, leaseMs: number): Promise<Claim> {
    const { stream } = await this.#see(name);
    if (stream === undefined) throw unknownStream(name);
    if (stream.owner === undefined || stream.end !== undefined || stream.carryOn === undefined) return refused(stream);
    let leaseRanOutMs = "";
    const lookToken = await this.willBeLookedAt(name);
    if (stream.releasedAtMs === undefined) {
      const [taken, ranOut] = listOf(await this.#onOwner(CONDEMN, stream.owner, [name]));
      if (Number(taken) !== 1) return refused(stream);
      leaseRanOutMs = textOf(ranOut) ?? "";
    }
    const { nowMs, token } = await this.#register(name, owner, leaseMs);
    const args = [String(stream.epoch), leaseRanOutMs, owner, token, String(nowMs + MAX_CLAIM_MS)];
    const claim = await this.#outcome(name, owner, token, await this.#onStream(TAKE, name, args));
    if (claim.claimed || claim.head.end !== undefined) {
      await this.#unlook(name, lookToken);
      if (stream.owner !== owner) await this.#forgetRun(stream.owner, name, `!${leaseRanOutMs}`);
    }
    return claim;
  }

  async orphans(kinds: readonly string[]): Promise<readonly string[]> {
    if (kinds.length === 0) return [];
    const names = new Set<string>();
    for await (const { entry, looked } of this.#lookAtAll()) {
      const { stream, nowMs } = looked;
      if (stream?.carryOn === undefined || !kinds.includes(stream.carryOn.kind)) continue;
      if (stream.owner === entry.owner && fateWith(stream, entry, nowMs) === "waiting") names.add(stream.name);
      if (names.size >= MAX_ORPHANS) break;
    }
    return [...names];
  }

  async beat(owner: string, leaseMs: number): Promise<Beat> {
    const [, reply] = await Promise.all([
      this.#indexAdd(this.#owners, leaseMs, owner),
      this.#onOwner(BEAT, owner, [String(leaseMs)]),
    ]);
    const [beatAtMs, runs] = listOf(reply);
    const entries = pairsOf(runs).filter(([, token]) => !isCondemned(token));
    const look = this.quiet.toLookAt(owner, entries, Number(textOf(beatAtMs)));
    const owned = new Set(entries.map(([name]) => name));
    const stopRequested: string[] = [];
    for (const batch of batchesOf(look)) {
      const isQuiet = batch.map((entry) => this.quiet.look(owner, entry));
      const seen = await Promise.all(batch.map(([name]) => this.#see(name)));
      const over: Promise<unknown>[] = [];
      for (const [index, { stream, nowMs }] of seen.entries()) {
        const [name, token] = batch[index]!;
        const isOwned = stream?.owner === owner && stream.end === undefined;
        if (!isOwned || stream.releasedAtMs !== undefined) owned.delete(name);
        else if (stream.stopRequested) stopRequested.push(name);
        else isQuiet[index]!(stream.expiresAtMs);
        if (!isOwned && isOver({ owner, name, token, leaseMs: 0 }, stream, nowMs)) {
          over.push(this.#forgetRun(owner, name, token));
        }
      }
      await Promise.all(over);
    }
    return { owned: [...owned], stopRequested };
  }

  /** The run was ended, given up, deleted or asked to stop: its owner's next beat looks at it. */
  async mark(owner: string | undefined, name: string): Promise<void> {
    const isOurs = owner !== undefined && this.quiet.has(owner);
    this.quiet.forget(name);
    if (owner !== undefined && owner !== "" && !isOurs) await this.#onOwner(MARK, owner, [name, drawn()]);
  }

  async reap(): Promise<readonly string[]> {
    const ended = new Set<string>();
    for await (const { entry, looked, forget } of this.#lookAtAll()) {
      const { stream, nowMs } = looked;
      if (stream?.owner !== entry.owner || stream.end !== undefined) {
        if (isOver(entry, stream, nowMs)) await forget();
        continue;
      }
      let lookToken = "";
      const fate = fateWith(stream, entry, nowMs);
      if (fate !== "stopped" && fate !== "interrupted") continue;
      if (stream.releasedAtMs === undefined && !isCondemned(entry.token)) {
        // Named first: whoever beats after that has lost the run, though this process may die before it has ended it.
        lookToken = await this.willBeLookedAt(stream.name);
        const [taken] = listOf(await this.#onOwner(CONDEMN, entry.owner, [stream.name]));
        if (Number(taken) !== 1) continue;
      }
      if (Number(await this.#onStream(FINISH, stream.name, [String(stream.epoch)])) === 1) ended.add(stream.name);
      await forget();
      if (lookToken !== "") await this.#unlook(stream.name, lookToken);
      await this.#forgetCondemned(entry.owner, stream.name);
    }
    await this.#forgetOwners();
    return [...ended];
  }

  /** Says that somebody must look at the run, whether or not its owner lives. @returns what takes that back */
  async willBeLookedAt(name: string): Promise<string> {
    // A fraction of a millisecond of its own, so that nobody takes back what another has said.
    const fraction = Math.floor(Math.random() * 1_000) / 1_000;
    return textOf(await this.#indexAdd(this.#look, fraction, name)) ?? "";
  }

  /**
   * Every run that may have lost its owner, with how it stands. An owner's entries are there as soon as its lease may be
   * over, and the runs that were given up or taken from a living owner at any time.
   */
  async *#lookAtAll(): AsyncGenerator<{ entry: Entry; looked: Looked; forget: () => Promise<unknown> }> {
    const [due, look] = await Promise.all([this.#due(this.#owners, "due"), this.#due(this.#look, "all")]);
    for (const [owner] of due) {
      const [nowMs, leaseMs, runs] = listOf(await this.#onOwner(OWNER_STATE, owner, []));
      if (Number(textOf(leaseMs)) > Number(textOf(nowMs))) continue;
      for (const batch of batchesOf(pairsOf(runs))) {
        const seen = await Promise.all(batch.map(([name]) => this.#see(name)));
        for (const [index, looked] of seen.entries()) {
          const [name, token] = batch[index]!;
          const entry = { owner, name, token, leaseMs: Number(textOf(leaseMs)) };
          yield { entry, looked, forget: () => this.#forgetRun(owner, name, token) };
        }
      }
    }
    for (const batch of batchesOf(look)) {
      const seen = await Promise.all(batch.map(([name]) => this.#see(name)));
      for (const [index, looked] of seen.entries()) {
        const [name, score] = batch[index]!;
        yield* this.#lookAt(name, score, looked);
      }
    }
  }

  async *#lookAt(
    name: string,
    score: string,
    looked: Looked,
  ): AsyncGenerator<{ entry: Entry; looked: Looked; forget: () => Promise<unknown> }> {
    const owner = looked.stream?.owner;
    const forget = (): Promise<unknown> => this.#unlook(name, score);
    const none = { owner: "", name, token: score, leaseMs: 0 };
    if (owner === undefined || looked.stream?.end !== undefined) {
      yield { entry: none, looked: { ...looked, stream: undefined }, forget };
      return;
    }
    const [, leaseMs, pair] = listOf(await this.#onOwner(OWNER_ENTRY, owner, [name]));
    const token = pairsOf(pair)[0]?.[1] ?? "";
    const isLost = looked.stream?.releasedAtMs !== undefined || isCondemned(token);
    // Of an owner that is alive, and has it: the set names it from before.
    if (isLost) yield { entry: { owner, name, token, leaseMs: Number(textOf(leaseMs)) }, looked, forget };
    else yield { entry: none, looked: { ...looked, stream: undefined }, forget };
  }

  async #outcome(name: string, owner: string, token: string, reply: unknown): Promise<Claim> {
    const [verdict, fields] = listOf(reply);
    const stream = toStream(name, fields);
    const claimed = Number(verdict) === 1;
    if (!claimed && stream?.owner !== owner) await this.#forgetRun(owner, name, token);
    if (Number(verdict) === -1) {
      throw new TailraceError("store_unavailable", `Redis was too slow to give the run ${name}; try again.`);
    }
    if (stream === undefined) throw unknownStream(name);
    // So that not each run is looked at once.
    if (claimed && !stream.stopRequested) this.quiet.look(owner, [name, token])(stream.expiresAtMs);
    return { claimed, epoch: stream.epoch, head: toHead(stream) };
  }

  /** Before the run is given, so that there is no moment at which nobody would notice its owner's death. */
  async #register(name: string, owner: string, leaseMs: number): Promise<{ nowMs: number; token: string }> {
    const [, reply] = await Promise.all([
      this.#indexAdd(this.#owners, leaseMs, owner),
      this.#onOwner(REGISTER, owner, [String(leaseMs), name, drawn()]),
    ]);
    const [nowMs, token] = listOf(reply).map(textOf);
    return { nowMs: Number(nowMs), token: token ?? "" };
  }

  async #see(name: string): Promise<Looked> {
    const [nowMs, fields] = listOf(await this.#onStream(HEAD, name, []));
    return { stream: toStream(name, fields), nowMs: Number(textOf(nowMs)) };
  }

  async #forgetOwners(): Promise<void> {
    for (const [owner, score] of await this.#due(this.#owners, "due")) {
      if (Number(await this.#onOwner(FORGET_OWNER, owner, [])) === 1) {
        await this.#onIndex(INDEX_REMOVE, this.#owners, [owner, score]);
      }
    }
  }

  async #forgetCondemned(owner: string, name: string): Promise<void> {
    const [, , pair] = listOf(await this.#onOwner(OWNER_ENTRY, owner, [name]));
    for (const [, token] of pairsOf(pair)) if (isCondemned(token)) await this.#forgetRun(owner, name, token);
  }

  #unlook(name: string, score: string): Promise<unknown> {
    return this.#onIndex(INDEX_REMOVE, this.#look, [name, score]);
  }

  #forgetRun(owner: string, name: string, token: string): Promise<unknown> {
    return this.#onOwner(FORGET_RUN, owner, [name, token]);
  }

  async #due(index: string, which: "due" | "all"): Promise<[string, string][]> {
    return pairsOf(await this.#onIndex(INDEX_DUE, index, [String(MAX_LOOKED_AT), which]));
  }

  #indexAdd(index: string, inMs: number, member: string): Promise<unknown> {
    return this.#onIndex(INDEX_ADD, index, [String(inMs), member]);
  }

  #onIndex(script: string, index: string, args: readonly string[]): Promise<unknown> {
    return this.#link.run(script, [index], [this.#link.now, ...args]);
  }

  #onOwner(script: string, owner: string, args: readonly string[]): Promise<unknown> {
    return this.#link.run(script, ownerKeys(this.#prefix, owner), [this.#link.now, ...args]);
  }
}

function drawn(): string {
  return crypto.randomUUID().slice(0, 8);
}

function refused(stream: RedisStream): Claim {
  const head: StreamHead = toHead(stream);
  return { claimed: false, epoch: stream.epoch, head };
}
