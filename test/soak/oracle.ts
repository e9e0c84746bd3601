// The model beside the writers: what was sent, what was acknowledged, and so what a store may and must hold.

import type { Line, Place, Sent } from "./lines.ts";
import {
  checkFate,
  checkItems,
  checkOrder,
  checkSeen,
  isEndThere,
  Violation,
  type Append,
  type Content,
  type Fail,
  type Loss,
  type Owner,
  type Seen,
} from "./rules.ts";

/** How much was compared, for the summary. */
export interface Tally {
  acknowledged: number;
  unanswered: number;
  unansweredKept: number;
  lost: number;
  seen: number;
}

export class Oracle {
  /** By stream and key. */
  readonly #appends = new Map<string, Map<string, Append>>();
  readonly #owners = new Map<string, Owner[]>();
  readonly #stops = new Set<string>();
  #seen = new Map<string, Seen>();
  #at = 0;
  readonly #story: { readonly stream: string; readonly text: string }[] = [];

  /** A copy that goes its own way from here. */
  fork(): Oracle {
    const copy = new Oracle();
    for (const [stream, appends] of this.#appends) {
      copy.#appends.set(stream, new Map([...appends].map(([key, append]) => [key, { ...append }])));
    }
    for (const [stream, owners] of this.#owners) copy.#owners.set(stream, [...owners]);
    for (const stream of this.#stops) copy.#stops.add(stream);
    for (const [at, seen] of this.#seen) copy.#seen.set(at, { ...seen, items: [...seen.items] });
    copy.#at = this.#at;
    copy.#story.push(...this.#story);
    return copy;
  }

  /** Takes what the process `life` has said. @throws {Violation} for an answer that no store may give */
  take(life: string, line: Line): void {
    this.#at++;
    if ("stream" in line) this.#tell(line.stream, `${life}: ${JSON.stringify({ ...line, stream: undefined })}`);
    switch (line.is) {
      case "sent":
        this.#sent(life, line);
        return;
      case "kept": {
        const append = this.#appendOf(line.stream, line.key);
        append.keptAt ??= this.#at;
        if (!line.isDuplicate) {
          if (append.tail !== undefined) this.fail(line.stream, `${line.key} was written twice`);
          append.tail = line.tail;
        }
        return;
      }
      case "refused":
        this.#appendOf(line.stream, line.key).refusedAs ??= line.code;
        return;
      case "owns": {
        const owners = this.#owners.get(line.stream) ?? [];
        const other = owners.find(({ epoch }) => epoch === line.epoch);
        if (other !== undefined) {
          this.fail(line.stream, `${life} and ${other.life} both own epoch ${line.epoch}`);
        }
        this.#owners.set(line.stream, [...owners, { life, epoch: line.epoch }]);
        return;
      }
      case "stop":
        this.#stops.add(line.stream);
        return;
      case "beat": {
        const missing = line.held.find((name) => !line.owned.includes(name));
        if (missing !== undefined) this.fail(missing, `the beat of ${life} does not name a run that it owns`);
        return;
      }
      case "seen":
        this.#seenBy(life, line.stream).items.push(line);
        return;
      case "seen gap":
        this.#seenBy(life, line.stream).gaps++;
        return;
      case "seen end":
        this.#seenBy(life, line.stream).end = line.reason;
        return;
      case "fault":
        throw new Violation(`${life} failed: ${line.message}`);
      case "ready":
      case "over":
        return;
    }
  }

  /** The streams of which anything was said. */
  get streams(): string[] {
    return [...this.#appends.keys()];
  }

  wasStopped(stream: string): boolean {
    return this.#stops.has(stream);
  }

  ownsNow(stream: string): Owner | undefined {
    return this.#owners
      .get(stream)
      ?.toSorted((one, other) => one.epoch - other.epoch)
      .at(-1);
  }

  /** Where the producer stands, by what was found at the last comparison. */
  placeOf(stream: string, id: string): Place | undefined {
    let last: Place | undefined;
    for (const { sent, found } of this.#appends.get(stream)?.values() ?? []) {
      const { producer } = sent;
      if (found !== "there" || producer?.id !== id) continue;
      if (
        last === undefined ||
        producer.epoch > last.epoch ||
        (producer.epoch === last.epoch && producer.seq > last.seq)
      )
        last = producer;
    }
    return last;
  }

  /** The stream was made. */
  know(stream: string): void {
    if (!this.#appends.has(stream)) this.#appends.set(stream, new Map());
  }

  forget(stream: string): void {
    this.#appends.delete(stream);
    this.#owners.delete(stream);
    this.#stops.delete(stream);
  }

  /**
   * Compares everything that is known with what the store holds, and goes on from there.
   *
   * @throws {Violation}
   */
  compare(contents: ReadonlyMap<string, Content>, loss: Loss): Tally {
    const tally: Tally = { acknowledged: 0, unanswered: 0, unansweredKept: 0, lost: 0, seen: 0 };
    let firstLost: Append | undefined;
    let lastThere: Append | undefined;
    for (const [stream, appends] of this.#appends) {
      const content = contents.get(stream);
      const fail: Fail = (what) => this.fail(stream, what);
      const there = content === undefined ? new Set<string>() : checkItems(fail, appends, content, loss);
      checkOrder(fail, appends, there);
      for (const append of appends.values()) {
        const isThere = append.sent.count === 0 ? isEndThere(append, content) : there.has(append.sent.key);
        const earlier = (): Append[] => [...appends.values()].filter((other) => other.sentAt < append.sentAt);
        checkFate(fail, append, earlier, isThere, content, loss);
        const isAcknowledged = append.keptAt !== undefined;
        if (append.found === undefined) {
          if (isAcknowledged) tally.acknowledged++;
          else if (append.refusedAs === undefined) tally.unanswered++;
          if (!isAcknowledged && isThere) tally.unansweredKept++;
        }
        const isNews = append.found === undefined && append.sent.count > 0;
        if (isNews && isAcknowledged && !isThere) {
          tally.lost++;
          if (firstLost === undefined || append.keptAt! < firstLost.keptAt!) firstLost = append;
        }
        if (isNews && isThere && (lastThere === undefined || append.sentAt > lastThere.sentAt)) lastThere = append;
        append.found = isThere ? "there" : "absent";
      }
    }
    // Whoever sent B had seen that A was kept: then B without A is a world that never was.
    if (firstLost !== undefined && lastThere !== undefined && lastThere.sentAt > firstLost.keptAt!) {
      const text = `${firstLost.sent.key} was acknowledged and is lost, but ${lastThere.sent.key} in ${lastThere.sent.stream}, sent after that, is kept`;
      this.fail(firstLost.sent.stream, text);
    }
    tally.seen = checkSeen((stream, what) => this.fail(stream, what), this.#seen, contents, loss);
    this.#seen = new Map();
    if (loss === "tail") this.#forgetOwners(contents);
    return tally;
  }

  /** A producer that lost its tail may send again what is absent. */
  #sent(life: string, sent: Sent): void {
    let appends = this.#appends.get(sent.stream);
    if (appends === undefined) this.#appends.set(sent.stream, (appends = new Map()));
    const known = appends.get(sent.key);
    if (known === undefined || known.found === "absent") {
      appends.set(sent.key, {
        sent,
        life,
        sentAt: this.#at,
        keptAt: undefined,
        tail: undefined,
        refusedAs: undefined,
        found: undefined,
      });
    } else if (sent.producer === undefined) this.fail(sent.stream, `the writer sent ${sent.key} twice`);
  }

  /** A claim may be lost like anything else, and its epoch be given again. */
  #forgetOwners(contents: ReadonlyMap<string, Content>): void {
    for (const [stream, owners] of this.#owners) {
      const epoch = contents.get(stream)?.head.run?.epoch ?? 0;
      this.#owners.set(
        stream,
        owners.filter((owner) => owner.epoch <= epoch),
      );
    }
  }

  #seenBy(life: string, stream: string): Seen {
    const by = `a follower in ${life} of ${stream}`;
    let seen = this.#seen.get(by);
    if (seen === undefined) this.#seen.set(by, (seen = { stream, items: [], gaps: 0, end: undefined }));
    return seen;
  }

  #appendOf(stream: string, key: string): Append {
    const append = this.#appends.get(stream)?.get(key);
    if (append === undefined) throw new Violation(`an answer came for ${key} of ${stream}, which nobody sent`);
    return append;
  }

  #tell(stream: string, text: string): void {
    this.#story.push({ stream, text });
    if (this.#story.length > MAX_STORY_LINES) this.#story.splice(0, MAX_STORY_LINES / 2);
  }

  /** @throws {Violation} */
  fail(stream: string, what: string): never {
    throw this.violation(stream, what);
  }

  /** What was found, with the story of the stream. */
  violation(stream: string, what: string): Violation {
    const told = this.#story.filter((part) => part.stream === stream).slice(-MAX_TOLD_LINES);
    return new Violation([`${stream}: ${what}`, ...told.map(({ text }) => `    ${text}`)].join("\n"));
  }
}

const MAX_STORY_LINES = 200_000;
const MAX_TOLD_LINES = 60;
