// The messages of a chat as far as they are loaded: one path of the conversation, its last page first.

import type { ThreadMessage } from "../wire/chat-thread.ts";
import { mergeSaved } from "./chat-messages.ts";
import { type ChatPlace, type LoadedPage, loadPage } from "./chat-requests.ts";
import type { ChatOptions } from "./chat-types.ts";

const DEFAULT_HISTORY_COUNT = 100;
/** How many messages a look takes that only asks what is new. */
const LOOK_COUNT = 20;

/** What is loaded. The chat says when; this says what follows from it. */
export class ChatThread {
  messages: readonly ThreadMessage[];
  isLoaded: boolean;
  title = "";
  /** The first message of what is loaded, if there are others before it. */
  before: string | undefined;
  /** Where the conversation's stream stood when it was read last. */
  revision: string | undefined;
  /** A message of the path that is shown. Undefined: the path that was written last. */
  branch: string | undefined;
  readonly #place: ChatPlace;
  readonly #count: number;
  /** The server keeps nothing: that it knows no messages does not mean that there are none. */
  readonly #isKeptHere: boolean;
  #earlier: Promise<void> | undefined;

  constructor(place: ChatPlace, options: Pick<ChatOptions, "initialMessages" | "historyCount" | "sendHistory">) {
    this.#place = place;
    this.#isKeptHere = options.sendHistory === true;
    this.#count = options.historyCount ?? DEFAULT_HISTORY_COUNT;
    this.messages = options.initialMessages ?? [];
    this.isLoaded = options.initialMessages !== undefined;
    // As many as fill a page: there may be more before them.
    if (this.messages.length >= this.#count) this.before = this.messages[0]?.id;
  }

  /** The last page of the path; a smaller one where it is only asked what is new. */
  fetch(life: AbortSignal, how: "load" | "look"): Promise<LoadedPage> {
    const count = how === "load" ? this.#count : Math.min(LOOK_COUNT, this.#count);
    return loadPage(this.#place, life, { count, branch: this.branch });
  }

  /** Takes over what the server has kept. Gives whether anything is different. */
  take(page: LoadedPage): boolean {
    this.isLoaded = true;
    if (this.isUnknown(page)) return false;
    const { messages: local, title } = this;
    const first = page.messages[0]?.id;
    const at = local.findIndex((message) => message.id === first);
    this.messages = mergeSaved(local, page.messages);
    if (at <= 0) this.before = page.before;
    this.title = page.title === "" ? title : page.title;
    this.revision = page.revision;
    return this.messages !== local || this.title !== title;
  }

  /** Whether the server says nothing, and what is here is all there is. */
  isUnknown(page: LoadedPage): boolean {
    return this.#isKeptHere && page.messages.length === 0;
  }

  /** The last page of the path through `branch`. */
  switchTo(branch: string, life: AbortSignal): Promise<LoadedPage> {
    return loadPage(this.#place, life, { count: this.#count, branch });
  }

  /** Shows that page in the place of what is there. */
  show(branch: string, page: LoadedPage): void {
    this.branch = branch;
    this.messages = this.messages.filter((message) => message.delivery === undefined);
    this.take(page);
    this.before = page.before;
  }

  /** Loads the page before what there is; asked for twice at a time, once. */
  loadEarlier(life: AbortSignal): Promise<void> {
    this.#earlier ??= this.#loadEarlier(life).finally(() => (this.#earlier = undefined));
    return this.#earlier;
  }

  async #loadEarlier(life: AbortSignal): Promise<void> {
    const { before } = this;
    if (before === undefined) return;
    const page = await loadPage(this.#place, life, { count: this.#count, before });
    if (life.aborted || this.before !== before) return;
    const known = new Set(this.messages.map((message) => message.id));
    this.messages = [...page.messages.filter((message) => !known.has(message.id)), ...this.messages];
    this.before = page.messages.length === 0 ? undefined : page.before;
  }
}
