// One answer as the AI SDK's hook reads it: chunks without a doubled or a missing one, and never an end without a terminal.

import { TailraceError } from "../errors.ts";
import { ReplayHold } from "./chat-transport-hold.ts";
import { openStream } from "./open.ts";
import { discard } from "./response.ts";
import { readEnd } from "./stream-items.ts";
import type { Fetch, OpenOptions, RawEvent, StreamConnection, StreamEnd, StreamItem } from "./stream-types.ts";
import { type MessageChunk, parseChunk, readTerminal } from "../wire/ui-message.ts";

/** A chunk on its way to the reader. */
interface Taken {
  readonly chunk: MessageChunk;
  /** The server begins anew here: what was given before comes once more. */
  readonly isReplay: boolean;
}

/** An answer that is followed from its construction on. */
export class TransportAnswer {
  /** True for a stream of chunks, false when the server runs nothing. Rejects when neither came. */
  readonly opened: Promise<boolean>;
  readonly #stream: StreamConnection<Taken>;
  readonly #batches: AsyncIterator<readonly StreamItem<Taken>[]>;
  readonly #onOver: () => void;
  #isLeft = false;

  // What the network has brought.
  #requests = 0;
  #taken = 0;
  #firstId = "";
  #messageId: unknown;
  #isMerged = false;
  /** Nothing has been taken from the present attempt. */
  #isFresh = false;
  #isReplay = false;
  #isTerminalTaken = false;

  // What the reader was given, who may lag behind.
  readonly #hold = new ReplayHold<StreamItem<Taken>>();
  /** Why nothing more comes from the network. */
  #whyEnded: string | undefined;
  #given = 0;
  #toSkip = 0;
  #isTerminalGiven = false;
  #isOver = false;

  /** `onOver` is called once, when nothing more will come: at its end, after a failure, and when it is left. */
  constructor(
    url: string,
    options: Omit<OpenOptions, "decode" | "isEnd" | "schema"> & { readonly fetch: Fetch },
    onOver: () => void,
  ) {
    this.#onOver = onOver;
    this.#stream = openStream<Taken>(url, {
      ...options,
      fetch: (input, init) => this.#fetch(options.fetch, input, init),
      decode: (data) => this.#decode(data),
      isEnd: (event) => this.#findEnd(event),
      // That a body closes says nothing, in no format: the terminal chunk does.
      endsOnClose: false,
    });
    this.#batches = this.#stream.batches()[Symbol.asyncIterator]();
    this.opened = new Promise((resolve, reject) => this.#watchOpening(resolve, reject));
    this.opened.then(
      (isStream) => !isStream && this.#end(),
      () => this.#end(),
    );
  }

  /** The chunks, to be asked for once. After an abort, which closes the answer, it errors as a response's body does. */
  read<CHUNK>(signal: AbortSignal | undefined): ReadableStream<CHUNK> {
    return new ReadableStream<CHUNK>(
      {
        pull: async (controller) => {
          const chunk = await this.#next();
          if (signal?.aborted === true) controller.error(signal.reason);
          else if (chunk === undefined) controller.close();
          else controller.enqueue(chunk as CHUNK);
        },
        cancel: () => this.close(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Whether the answer has come to its end, as far as the network has brought it. */
  get isEnded(): boolean {
    const { status } = this.#stream.state;
    return status === "done" || status === "failed";
  }

  /** Leaves the answer. What the server writes goes on. */
  close(): void {
    this.#isLeft ||= !this.#isOver;
    this.#hold.drop();
    this.#end();
  }

  #end(): void {
    this.#stream.close();
    this.#onOver();
  }

  #watchOpening(resolve: (isStream: boolean) => void, reject: (error: unknown) => void): void {
    const look = (): boolean => {
      const { status, error, end } = this.#stream.state;
      if (status === "open") resolve(true);
      else if (status === "failed") reject(error);
      else if (status !== "done") return false;
      else if (this.#isLeft) reject(closedError());
      else resolve(end !== null);
      return true;
    };
    if (look()) return;
    const unsubscribe = this.#stream.subscribe(() => look() && unsubscribe());
  }

  // --- from the network ---

  async #fetch(fetch: Fetch, input: string | URL, init: RequestInit): Promise<Response> {
    this.#requests += 1;
    this.#isFresh = this.#requests > 1;
    if (this.#isTerminalTaken) return this.#fetchRest(fetch, input, init);
    const response = await fetch(input, init);
    this.#isMerged ||= response.headers.get("tailrace-prelude") === "1";
    return response;
  }

  /** The answer is whole, and what may stand behind its terminal was cut: asked for once, and done without. */
  async #fetchRest(fetch: Fetch, input: string | URL, init: RequestInit): Promise<Response> {
    const nothing = new Response(null, { status: 204 });
    if (!new Headers(init.headers).has("last-event-id")) return nothing;
    const response = await fetch(input, init).catch(() => nothing);
    if (response.ok) return response;
    await discard(response);
    return nothing;
  }

  /** Called for each event before {@link #decode}. Chunks may follow a `finish`, so that `[DONE]` alone is the end. */
  #findEnd(event: RawEvent): StreamEnd | undefined {
    this.#isReplay = false;
    if (event.data === "[DONE]") return { reason: "completed" };
    const end = readEnd(event);
    if (end !== undefined) return end;
    if (this.#taken === 0) this.#firstId = event.id;
    else if (this.#isFresh) this.#isReplay = this.#beginsAnew(event);
    this.#isFresh = false;
    return undefined;
  }

  /**
   * Whether the first event after a cut begins the answer again, as from a server that knows no `Last-Event-ID`.
   * Throws `cursor_invalid` for one that would make a gap or a doubled piece.
   */
  #beginsAnew({ data, id }: RawEvent): boolean {
    const chunk = parseChunk(data);
    if (chunk?.["type"] !== "start") {
      if (id !== "") return false;
      throw lost("its server gives its chunks no ids, so that nobody can tell which of them are missing");
    }
    const messageId = chunk["messageId"];
    if (messageId !== this.#messageId) throw lost("another answer has taken its place");
    // A second `start` of the same message, sent in its turn.
    if (id !== "" && id !== this.#firstId) return false;
    if (messageId === undefined) throw lost(NO_IDS);
    return true;
  }

  #decode(data: string): Taken {
    const chunk = parseChunk(data);
    if (typeof chunk?.["type"] !== "string") {
      const message = "The server sent something that is no chunk of a UI message stream. See what its route answers.";
      throw new TailraceError("decode_failed", message);
    }
    if (this.#taken === 0) this.#messageId = chunk["messageId"];
    this.#taken += 1;
    if (readTerminal(chunk) !== undefined) this.#isTerminalTaken = true;
    return { chunk, isReplay: this.#isReplay };
  }

  // --- to the reader ---

  /** The next chunk; undefined after the last. */
  async #next(): Promise<MessageChunk | undefined> {
    while (!this.#isOver) {
      const item = this.#hold.next();
      if (item !== undefined) {
        const chunk = this.#sift(item);
        if (chunk !== undefined) return chunk;
      } else if (this.#whyEnded !== undefined) {
        return this.#finish(this.#whyEnded);
      } else {
        await this.#takeMore();
      }
    }
    return undefined;
  }

  async #takeMore(): Promise<void> {
    try {
      const { value, done } = await this.#batches.next();
      if (done === true) this.#whyEnded = this.#whyUnfinished();
      else this.#hold.add(value, ({ data }) => data.isReplay);
    } catch (error) {
      this.#whyEnded = error instanceof Error ? error.message : "The answer was lost.";
    }
    const { status, replaying } = this.#stream.state;
    if (this.#whyEnded !== undefined || (status === "open" && !replaying)) this.#hold.release();
  }

  #sift({ event, data }: StreamItem<Taken>): MessageChunk | undefined {
    // What stands in such an item is no chunk, whatever its type says (PROTOCOL.md, sections 1.4 and 7).
    if (event === "gap") return this.#finish("A part of the answer is no longer kept by the server.");
    if (data.isReplay && this.#given > 0) {
      if (this.#isMerged) return this.#finish(lost(NO_IDS).message);
      this.#toSkip = this.#given;
    }
    if (this.#toSkip > 0) {
      this.#toSkip -= 1;
      return undefined;
    }
    this.#given += 1;
    this.#isTerminalGiven ||= readTerminal(data.chunk) !== undefined;
    return data.chunk;
  }

  /** Nothing more comes. An answer that has had no terminal gets one here: silence would look like success. */
  #finish(errorText: string): MessageChunk | undefined {
    this.#isOver = true;
    this.#end();
    return this.#isTerminalGiven ? undefined : { type: "error", errorText };
  }

  #whyUnfinished(): string {
    if (this.#isLeft) return "The answer was left before its end: the transport was closed.";
    if (this.#stream.state.end === null)
      return "The server no longer runs this answer, and what came may not be all of it.";
    return "The answer ended without saying how, so it may not be whole.";
  }
}

/** The transport was closed, or the answer left, before it opened. */
function closedError(): TailraceError {
  return new TailraceError("closed", "The transport was closed before the answer began. Send again to ask once more.");
}

const NO_IDS = "its server begins it anew and tells no ids to compare";

function lost(why: string): TailraceError {
  return new TailraceError(
    "cursor_invalid",
    `The connection was cut and the answer cannot be followed further: ${why}.`,
  );
}
