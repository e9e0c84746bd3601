// The transport for the AI SDK's own useChat: cuts are mended before the hook sees them, and its stop stops the server.

import { isTailraceError, TailraceError } from "../errors.ts";
import { type ChatPlace, placeOf, postStop, streamUrl } from "./chat-requests.ts";
import { TransportAnswer } from "./chat-transport-answer.ts";
import { TransportStops } from "./chat-transport-stop.ts";
import type { ChatTransportOptions, TransportReconnectOptions, TransportSendOptions } from "./chat-transport-types.ts";
import { requestHeaders } from "./request.ts";
import type { HeadersSource, OpenOptions } from "./stream-types.ts";

const DEFAULT_API = "/api/chat";
const DEFAULT_STOP_TIMEOUT_MS = 10_000;
/** How many of the messages before the last a POST of the last alone names. */
const MAX_NAMED = 20;
/** Some four minutes without one chunk; then the reader is told. */
const DEFAULT_MAX_ATTEMPTS = 20;

/**
 * A `ChatTransport` for the `useChat` of the AI SDK, in the place of its `DefaultChatTransport`. A cut answer goes on by
 * itself from where it was; `stop()` reaches the server; an answer that cannot be brought to its end ends as an error.
 *
 * The hook calls `stop()` when it unmounts too. To leave is no stop if the transport is closed in the same turn, or if the
 * hook was given a `chat` of the application's, which it leaves alone.
 *
 * @example
 * const [transport] = useState(() => new TailraceChatTransport({ api: "/api/chat" }));
 * useEffect(() => () => transport.close(), [transport]);
 * const chat = useChat({ id, transport, resume: true });
 */
export class TailraceChatTransport {
  /** A resumed answer comes from its first chunk. */
  readonly resumeStreamIsReplay = true as const;
  readonly #options: ChatTransportOptions;
  readonly #stops: TransportStops;
  readonly #answers: Set<TransportAnswer> = new Set();
  readonly #resumes: Set<Resume> = new Set();

  constructor(options: ChatTransportOptions = {}) {
    this.#options = options;
    const { stopTimeoutMs = DEFAULT_STOP_TIMEOUT_MS, onStopError } = options;
    this.#stops = new TransportStops(stopTimeoutMs, (error, chatId) => onStopError?.(error, chatId));
  }

  /**
   * Sends a message, and gives the chunks of its answer.
   *
   * @throws TailraceError `response_refused` for a status or a type that is no stream, `connection_failed` when the
   * server was not reached (the POST is not repeated, except after a 429 or 503 with `Retry-After`), `closed` after
   * {@link close}; the reason of the signal when it aborts
   */
  async sendMessages<CHUNK>(options: TransportSendOptions): Promise<ReadableStream<CHUNK>> {
    const { chatId, trigger, messageId, abortSignal } = options;
    abortSignal?.throwIfAborted();
    const place = this.#placeOf(chatId, options.headers);
    this.#overtake(chatId);
    await this.#stops.settled(chatId, abortSignal);
    const more = await this.#moreBody();
    abortSignal?.throwIfAborted();
    const messages = this.#options.lastMessageOnly === true ? lastOf(options.messages) : { messages: options.messages };
    const body = { ...more, ...options.body, id: chatId, ...messages, trigger, messageId };
    const followed = this.#follow(this.#options.api ?? DEFAULT_API, place, {
      method: "POST",
      body,
      resumeUrl: streamUrl(place),
    });
    if (!(await this.#opened(followed, place, abortSignal, true))) {
      const message = "The server took the message but answered without a stream. See what its POST route returns.";
      throw new TailraceError("response_refused", message);
    }
    return followed.answer.read(abortSignal);
  }

  /**
   * The answer that is being written, from its first chunk; null when there is none (204, or 404). A server that cannot
   * be reached is asked again as after a cut. When {@link sendMessages} of the same chat is called meanwhile, this settles
   * no more, except for an abort.
   *
   * @throws TailraceError as {@link sendMessages} does
   */
  async reconnectToStream<CHUNK>(options: TransportReconnectOptions): Promise<ReadableStream<CHUNK> | null> {
    const { chatId, abortSignal } = options;
    abortSignal?.throwIfAborted();
    const place = this.#placeOf(chatId, options.headers);
    // The hook aborts one resume for the next, and a page that is drawn anew resumes at once: nobody stopped anything.
    this.#stops.drop(chatId);
    const followed = this.#follow(streamUrl(place), place, {});
    const resume: Resume = { chatId, answer: followed.answer, isOvertaken: false };
    this.#resumes.add(resume);
    try {
      const isRunning = await this.#opened(followed, place, abortSignal, false);
      if (!resume.isOvertaken) return isRunning ? followed.answer.read(abortSignal) : null;
    } catch (error) {
      if (!resume.isOvertaken) {
        // A chat that is not known runs no answer either.
        if (isTailraceError(error, "response_refused") && error.status === 404) return null;
        throw error;
      }
    } finally {
      this.#resumes.delete(resume);
    }
    return aborted(abortSignal);
  }

  /**
   * The hook takes what a resume gives for the state of its chat: a null would make it "ready", without a way to stop, while
   * it waits for the first word of what was sent meanwhile, and a stream would give that answer twice.
   */
  #overtake(chatId: string): void {
    for (const resume of this.#resumes) {
      if (resume.chatId !== chatId) continue;
      resume.isOvertaken = true;
      resume.answer.close();
    }
  }

  /**
   * Stops the answer of a chat on the server, whoever began it.
   *
   * @throws TailraceError `response_refused`, or `connection_failed`
   */
  async stop(chatId: string): Promise<void> {
    const { stopTimeoutMs = DEFAULT_STOP_TIMEOUT_MS } = this.#options;
    await postStop(this.#placeOf(chatId, undefined), AbortSignal.timeout(stopTimeoutMs));
  }

  /** Leaves whatever is open, and takes back the stops of this turn. The server goes on writing. It may be used again. */
  close(): void {
    this.#stops.drop();
    for (const answer of this.#answers) answer.close();
    this.#answers.clear();
  }

  // --- one answer ---

  #follow(url: string, place: ChatPlace, options: Pick<OpenOptions, "method" | "body" | "resumeUrl">): FollowedAnswer {
    const { fetch, headers, credentials } = place;
    const { connection } = this.#options;
    const maxAttempts = connection?.maxAttempts ?? DEFAULT_MAX_ATTEMPTS;
    const ended = new AbortController();
    const answer = new TransportAnswer(
      url,
      { ...connection, ...options, maxAttempts, fetch, headers, credentials },
      () => {
        this.#answers.delete(answer);
        ended.abort();
      },
    );
    this.#answers.add(answer);
    return { answer, ended: ended.signal };
  }

  /** Whether there is a stream. From here on an abort leaves the answer, and stops it if there is one to be stopped. */
  #opened(
    { answer, ended }: FollowedAnswer,
    place: ChatPlace,
    signal: AbortSignal | undefined,
    isPosted: boolean,
  ): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let isOpen = false;
      const abort = (): void => {
        const isStop = this.#options.stopsOnAbort !== false && (isOpen || isPosted) && !answer.isEnded;
        reject(signal?.reason as Error);
        // A message that is on its way is let arrive, so that the stop finds what it began.
        if (isOpen || !isStop) answer.close();
        if (isStop) {
          const answered = isOpen ? undefined : answer.opened;
          this.#stops.ask(place.id, { place, answered, onDone: () => answer.close() });
        }
      };
      signal?.addEventListener("abort", abort, { once: true, signal: ended });
      answer.opened.then((isStream) => {
        isOpen = true;
        resolve(isStream);
      }, reject);
    });
  }

  // --- requests ---

  #placeOf(chatId: string, extra: HeadersInit | undefined): ChatPlace {
    // RFC 3986, section 5.2.4: as a segment of a path they would lead elsewhere, escaped or not.
    if (chatId === "." || chatId === "..") {
      throw new TailraceError("input_invalid", `"${chatId}" cannot be the id of a chat. Give it another one.`);
    }
    const { api = DEFAULT_API, credentials, fetch, headers } = this.#options;
    return placeOf({
      id: chatId,
      api: api.replace(/\/(?=[?#]|$)/, ""),
      credentials,
      fetch,
      headers: mergeHeaders(headers, extra),
    });
  }

  async #moreBody(): Promise<object | undefined> {
    const { body } = this.#options;
    return typeof body === "function" ? ((await body()) as object) : body;
  }
}

/** A resume that the server has not answered. */
interface Resume {
  readonly chatId: string;
  readonly answer: TransportAnswer;
  /** A message was sent meanwhile, which is what counts now. */
  isOvertaken: boolean;
}

interface FollowedAnswer {
  readonly answer: TransportAnswer;
  /** Aborts when nothing more will come. */
  readonly ended: AbortSignal;
}

/** Settles only when nobody waits any more. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted === true) reject(signal.reason as Error);
    else signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

/** The last message, and the ids of those before it, so that the server finds its place. */
function lastOf(messages: TransportSendOptions["messages"]): object {
  const history = messages.slice(-MAX_NAMED - 1, -1).map(({ id }) => id);
  return { messages: messages.slice(-1), history };
}

function mergeHeaders(source: HeadersSource | undefined, extra: HeadersInit | undefined): HeadersSource {
  return async (attempt) => {
    const headers = await requestHeaders(source, attempt);
    for (const [name, value] of await requestHeaders(extra, attempt)) headers.set(name, value);
    return headers;
  };
}
