// One answer that is followed: its stream, folded chunk by chunk, up to its end.

import { TailraceError } from "../errors.ts";
import { openStream } from "./open.ts";
import { readEnd } from "./stream-items.ts";
import type { ConnectionStatus, OpenOptions, RawEvent, StreamConnection, StreamEnd } from "./stream-types.ts";
import {
  type Answer,
  emptyAnswer,
  endAnswer,
  foldChunk,
  hasContent,
  type MessageChunk,
  type MessageEnd,
  parseChunk,
  readTerminal,
} from "../wire/ui-message.ts";

/** A terminal chunk, told apart without parsing every delta twice. */
const MAYBE_TERMINAL = /"(?:finish|abort|error)"/;

/** How a turn ended. */
export type TurnOutcome =
  | { readonly type: "end"; readonly end: MessageEnd }
  /** The server runs nothing (any more). */
  | { readonly type: "nothing" }
  /** The server no longer keeps what comes after what was seen: to go on would leave a hole. */
  | { readonly type: "gap" }
  | { readonly type: "failed"; readonly error: unknown };

/** What a turn is, and whom it tells. After `close()` nobody is told anything. */
export interface TurnPlan {
  /** Begun by a POST of this page, or found running. */
  readonly posted: boolean;
  /** A look whether something runs, which the reader need not notice. */
  readonly quiet: boolean;
  /** The id of an answer that comes without a `start`. */
  readonly answerId: string;
  /** The status of the connection may have changed. */
  onConnection(): void;
  /** The answer has grown. */
  onAnswer(): void;
  onDone(outcome: TurnOutcome): void;
}

function findEnd(event: RawEvent): StreamEnd | undefined {
  const named = readEnd(event);
  if (named !== undefined || !MAYBE_TERMINAL.test(event.data)) return named;
  const chunk = parseChunk(event.data);
  if (chunk === undefined || readTerminal(chunk) === undefined) return undefined;
  // Whatever the answer's own end is, the stream has come to its end as it should.
  return { reason: "completed", deliver: true };
}

/** A turn that is being followed from its construction on. */
export class Turn {
  readonly plan: TurnPlan;
  /** Whether the server has ever answered with a stream. */
  opened = false;
  answer: Answer | undefined;
  readonly #stream: StreamConnection<MessageChunk>;
  #closed = false;
  #hasGap = false;

  constructor(url: string, options: OpenOptions<MessageChunk>, plan: TurnPlan) {
    this.plan = plan;
    const decode = (data: string): MessageChunk => parseChunk(data) ?? {};
    this.#stream = openStream<MessageChunk>(url, { ...options, decode, isEnd: findEnd });
    void this.#read();
  }

  get connection(): ConnectionStatus {
    return this.#stream.state.status;
  }

  /** Whether what comes was written before: it is shown as a whole, however many batches it takes. */
  get replaying(): boolean {
    return this.#stream.state.replaying;
  }

  /** Whether there is anything to see. */
  get hasContent(): boolean {
    return this.answer !== undefined && hasContent(this.answer.message);
  }

  /** Gives the answer an end, unless it has its own. One that never began gets one too: it was asked for. */
  end(end: MessageEnd): void {
    const answer = this.answer ?? emptyAnswer(this.plan.answerId);
    this.answer = answer.message.end === undefined ? endAnswer(answer, end) : answer;
  }

  close(): void {
    this.#closed = true;
    this.#stream.close();
  }

  async #read(): Promise<void> {
    const unsubscribe = this.#stream.subscribe(() => {
      if (this.#closed) return;
      if (this.connection === "open") this.opened = true;
      this.plan.onConnection();
    });
    let failure: unknown;
    try {
      for await (const batch of this.#stream.batches()) {
        const gap = batch.findIndex((item) => item.event === "gap");
        let answer = this.answer ?? emptyAnswer(this.plan.answerId);
        for (const item of gap < 0 ? batch : batch.slice(0, gap)) answer = foldChunk(answer, item.data);
        this.answer = answer;
        this.#hasGap = gap >= 0;
        if (this.#hasGap) break;
        // An end comes as the end of the iteration, right after its batch, and is shown with it.
        if (!this.#closed && answer.message.end === undefined) this.plan.onAnswer();
      }
    } catch (error) {
      failure = error;
    } finally {
      unsubscribe();
    }
    if (!this.#closed) this.plan.onDone(this.#outcome(failure));
  }

  #outcome(failure: unknown): TurnOutcome {
    const { state } = this.#stream;
    if (this.#hasGap) return { type: "gap" };
    const end = this.answer?.message.end ?? state.end ?? undefined;
    if (end !== undefined) {
      const { reason, message } = end;
      return { type: "end", end: message === undefined ? { reason } : { reason, message } };
    }
    // A stream that is not known (any more) runs no answer either.
    const nothing = failure === undefined || state.error?.status === 404;
    if (nothing && (this.opened || !this.plan.posted)) return { type: "nothing" };
    const text = "The server took the message but answered without a stream. See what its POST route returns.";
    return { type: "failed", error: failure ?? new TailraceError("response_refused", text) };
  }
}
