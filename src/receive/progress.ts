// How far an upload has come, for whoever watches: measured at the storage, told at a bounded rate, never in the upload's way.

import { RateWindow } from "../bytes/rate-window.ts";
import { systemClock, type Clock } from "../clock.ts";
import type { ErrorCode } from "../errors.ts";
import { report } from "../trace.ts";

/**
 * How an upload stands. `stalled`: no bytes came for a while, they may come again. `verifying`: all bytes are stored and are being
 * checked and given their name. The last three are ends: nothing is told after them.
 */
export type UploadState = "created" | "receiving" | "stalled" | "verifying" | "complete" | "failed" | "expired";

/** One report about an upload. */
export interface UploadProgress {
  readonly id: string;
  /** The name that the sender gave, if it gave one. */
  readonly name?: string | undefined;
  readonly state: UploadState;
  /** Bytes handed to storage so far. */
  readonly bytes: number;
  /** The size of the whole, where it is known. */
  readonly totalBytes?: number | undefined;
  /** Over the last 5 s; 0 when nothing moves. */
  readonly bytesPerSecond: number;
  /** The time left at that rate, in milliseconds; absent while the size or the rate is unknown. */
  readonly remainingMs?: number | undefined;
  /** Why it failed. */
  readonly code?: ErrorCode | undefined;
}

export interface ProgressOptions {
  readonly id: string;
  readonly name?: string | undefined;
  readonly totalBytes?: number | undefined;
  /** What was stored before, where an upload goes on. It then begins as `stalled`, and nothing is told until something changes. Default 0. */
  readonly bytes?: number | undefined;
  /** Gets every report. What it throws goes to the channel `tailrace:error`; the upload goes on. */
  readonly publish: (progress: UploadProgress) => void | Promise<void>;
  readonly clock?: Clock | undefined;
  /** The least time between two reports of the same state, in milliseconds. Default 250. */
  readonly minIntervalMs?: number | undefined;
  /** How long no bytes may come until the state is `stalled`, in milliseconds. Default 5,000. */
  readonly stallMs?: number | undefined;
  /**
   * Where several processes take the bytes of one upload: asked before this reporter calls it stalled. Gives true if another process goes
   * on with it, or has ended it; this one then tells nothing until bytes come to it again.
   */
  readonly isElsewhere?: (() => Promise<boolean>) | undefined;
}

const ENDS: ReadonlySet<UploadState> = new Set(["complete", "failed", "expired"]);

/** Whether nothing follows after this state. */
export function isEndState(state: UploadState): boolean {
  return ENDS.has(state);
}

/** Changes of state that wait while a report is under way; more than these replace the last one. */
const MAX_WAITING_COUNT = 8;

/**
 * Tells how far one upload has come. A change of state is told at once, bytes at most every `minIntervalMs`, the last value always. Only
 * one report is under way at a time: a slow `publish` gets fewer reports, and never a queue of old ones.
 */
export class ProgressReporter {
  readonly #options: ProgressOptions;
  readonly #clock: Clock;
  readonly #minIntervalMs: number;
  readonly #stallMs: number;
  readonly #rate: RateWindow = new RateWindow();
  readonly #waiting: UploadProgress[] = [];
  #state: UploadState = "created";
  #code: ErrorCode | undefined;
  #bytes = 0;
  #totalBytes: number | undefined;
  #lastBytesAtMs = 0;
  #publishedAtMs = -Infinity;
  /** Bytes have come that nobody has been told of. */
  #isStale = false;
  #isClosed = false;
  #underWay: Promise<void> | undefined;
  #cancelTick: (() => void) | undefined;
  #cancelStall: (() => void) | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#minIntervalMs = options.minIntervalMs ?? 250;
    this.#stallMs = options.stallMs ?? 5_000;
    this.#totalBytes = options.totalBytes;
    this.#bytes = options.bytes ?? 0;
    if (this.#bytes > 0) this.#state = "stalled";
    else this.#change();
  }

  /** How things stand now. */
  get current(): UploadProgress {
    const { id, name } = this.#options;
    const moves = this.#state === "receiving";
    const bytesPerSecond = moves ? this.#rate.perSecond(this.#clock.now()) : 0;
    const left = this.#totalBytes === undefined ? undefined : Math.max(0, this.#totalBytes - this.#bytes);
    return {
      id,
      ...(name === undefined ? {} : { name }),
      state: this.#state,
      bytes: this.#bytes,
      ...(this.#totalBytes === undefined ? {} : { totalBytes: this.#totalBytes }),
      bytesPerSecond: Math.round(bytesPerSecond),
      ...(left !== undefined && bytesPerSecond > 0 ? { remainingMs: Math.ceil((left / bytesPerSecond) * 1_000) } : {}),
      ...(this.#code === undefined ? {} : { code: this.#code }),
    };
  }

  /** `bytes` is the total that has been handed to storage. Turns `created` and `stalled` into `receiving`. */
  stored(bytes: number): void {
    if (this.#isClosed || isEndState(this.#state)) return;
    const nowMs = this.#clock.now();
    const begins = this.#state === "created" || this.#state === "stalled";
    this.#bytes = bytes;
    this.#lastBytesAtMs = nowMs;
    if (begins) this.to("receiving");
    else {
      this.#rate.add(nowMs, bytes);
      this.#told();
    }
  }

  /** Goes to `state` and tells so at once. An end releases the timers; after it nothing is told any more. */
  to(state: UploadState, code?: ErrorCode): void {
    if (this.#isClosed || isEndState(this.#state) || (state === this.#state && code === this.#code)) return;
    const wasMoving = this.#state === "receiving";
    this.#state = state;
    this.#code = code;
    if (state === "receiving") {
      // The pause is no part of the rate.
      if (!wasMoving) this.#rate.restart(this.#clock.now(), this.#bytes);
      this.#lastBytesAtMs = this.#clock.now();
      this.#watchForStall();
    } else this.#stopWatching();
    if (isEndState(state)) this.#stopTicking();
    this.#change();
  }

  /** The size of the whole became known, or changed. */
  setTotal(totalBytes: number): void {
    if (this.#isClosed || isEndState(this.#state) || totalBytes === this.#totalBytes) return;
    this.#totalBytes = totalBytes;
    this.#told();
  }

  /** Tells the last value now if nobody has been told. Resolves once it is told. Never rejects. */
  async flush(): Promise<void> {
    if (this.#isStale && !this.#isClosed) {
      this.#stopTicking();
      this.#change();
    }
    await this.settled();
  }

  /** Tells the last value if nobody has been told, and releases the timers. Nothing is told afterwards. */
  close(): void {
    if (this.#isClosed) return;
    if (this.#isStale) this.#change();
    this.#isClosed = true;
    this.#stopWatching();
    this.#stopTicking();
  }

  /** Resolves once no report is under way or waiting. Never rejects. */
  async settled(): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay;
  }

  /** A report that must not be left out. */
  #change(): void {
    if (this.#waiting.length === MAX_WAITING_COUNT) this.#waiting.pop();
    this.#waiting.push(this.current);
    this.#isStale = false;
    this.#proceed();
  }

  /** News that may wait for its turn. */
  #told(): void {
    this.#isStale = true;
    if (this.#underWay === undefined && this.#cancelTick === undefined) this.#proceed();
  }

  readonly #tick = (): void => {
    this.#cancelTick = undefined;
    this.#proceed();
  };

  #proceed(): void {
    if (this.#underWay !== undefined) return;
    const next = this.#waiting.shift() ?? this.#due();
    if (next === undefined) return;
    this.#publishedAtMs = this.#clock.now();
    this.#underWay = this.#publish(next).then(() => {
      this.#underWay = undefined;
      this.#proceed();
    });
  }

  /** The newest value, if it is time for it; otherwise a timer is set. */
  #due(): UploadProgress | undefined {
    if (!this.#isStale || this.#isClosed) return undefined;
    const sinceMs = this.#clock.now() - this.#publishedAtMs;
    // A clock that was set back must not silence the upload.
    if (sinceMs >= 0 && sinceMs < this.#minIntervalMs) {
      this.#cancelTick ??= this.#clock.after(this.#minIntervalMs - sinceMs, this.#tick);
      return undefined;
    }
    this.#isStale = false;
    return this.current;
  }

  async #publish(progress: UploadProgress): Promise<void> {
    try {
      await this.#options.publish(progress);
    } catch (error) {
      report("upload progress", error);
    }
  }

  /** One timer that looks when it fires, instead of one that is set anew for every chunk. */
  #watchForStall(delayMs: number = this.#stallMs): void {
    this.#stopWatching();
    this.#cancelStall = this.#clock.after(delayMs, () => {
      this.#cancelStall = undefined;
      const quietMs = Math.max(0, this.#clock.now() - this.#lastBytesAtMs);
      if (quietMs >= this.#stallMs) void this.#stall();
      else this.#watchForStall(this.#stallMs - quietMs);
    });
  }

  async #stall(): Promise<void> {
    const bytesAtMs = this.#lastBytesAtMs;
    const isElsewhere = this.#options.isElsewhere !== undefined && (await this.#asked(this.#options.isElsewhere));
    if (this.#isClosed || this.#state !== "receiving") return;
    if (this.#lastBytesAtMs !== bytesAtMs) this.#watchForStall();
    else if (isElsewhere) this.#state = "stalled"; // untold
    else this.to("stalled");
  }

  async #asked(isElsewhere: () => Promise<boolean>): Promise<boolean> {
    try {
      return await isElsewhere();
    } catch (error) {
      report("upload progress", error);
      return false;
    }
  }

  #stopWatching(): void {
    this.#cancelStall?.();
    this.#cancelStall = undefined;
  }

  #stopTicking(): void {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
  }
}
