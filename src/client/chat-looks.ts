// When a chat looks what the server has: never twice at a time, not too often, and again where an answer is late.

/** Focus and visibility come together, and tabs are flipped through: at most one look per second. */
const MIN_REFRESH_MS = 1000;
/** A turn is written a moment before its answer begins: how often, and after how long, it is looked for again. */
const LATE = { maxLooks: 5, delayMs: 300 };

/** The looks of one chat. */
export class ChatLooks {
  readonly #look: () => Promise<void>;
  #state: "idle" | "looking" | "again" = "idle";
  #askedAt = -Infinity;
  #lateCount = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `look` never rejects. */
  constructor(look: () => Promise<void>) {
    this.#look = look;
  }

  /** Whether the reader's coming back is a reason to look: it counts as one if so. */
  isDue(): boolean {
    if (Date.now() - this.#askedAt < MIN_REFRESH_MS) return false;
    this.#askedAt = Date.now();
    return true;
  }

  /** Looks now; what is asked for meanwhile is one more look after it. */
  async now(): Promise<void> {
    if (this.#state !== "idle") {
      this.#state = "again";
      return;
    }
    do {
      this.#state = "looking";
      await this.#look();
    } while (this.#isAsked());
    this.#state = "idle";
  }

  /** Looks in a while, a few times in a row at most. */
  later(): void {
    this.#lateCount += 1;
    clearTimeout(this.#timer);
    if (this.#lateCount <= LATE.maxLooks) this.#timer = setTimeout(() => void this.now(), LATE.delayMs);
  }

  /** An answer has come: none is late any more. */
  settle(): void {
    this.#lateCount = 0;
    clearTimeout(this.#timer);
  }

  #isAsked(): boolean {
    return this.#state === "again";
  }
}
