// The conversations as a page lists them: newest first, a page at a time, and what the reader does to them shown at once.

/** A conversation in the list. */
export interface ListedChat {
  readonly id: string;
  readonly title: string;
  /** When it was last written to, in milliseconds since 1970. */
  readonly at: number;
}

/** What the list shows. Never changed: each change gives a new object. */
export interface ChatListView {
  readonly chats: readonly ListedChat[];
  readonly hasMore: boolean;
  /** Whether the server has told what there is. */
  readonly isLoaded: boolean;
  /** What went wrong; empty when nothing did. */
  readonly problem: string;
}

interface Page {
  readonly conversations: readonly ListedChat[];
  readonly before?: string;
}

const PAGE_COUNT = 30;
/** The most that one request gives. */
const MAX_COUNT = 1_000;
const MADE_TITLE_CHARS = 60;
const NOTHING: ChatListView = { chats: [], hasMore: false, isLoaded: false, problem: "" };

type Send = (path: string, init?: RequestInit) => Promise<Response>;

/** The list of one page. */
export class ChatList {
  readonly #send: Send;
  readonly #listeners = new Set<() => void>();
  #view = NOTHING;
  #saved: readonly ListedChat[] = [];
  #count = PAGE_COUNT;
  /** Shown before the server lists it. */
  #begun: ListedChat | undefined;
  readonly #titles = new Map<string, string>();
  readonly #removed = new Set<string>();
  #looking: "no" | "yes" | "again" = "no";

  constructor(send: Send = (path, init) => fetch(path, init)) {
    this.#send = send;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): ChatListView => this.#view;

  readonly getServerSnapshot = (): ChatListView => NOTHING;

  /** Asks the server what there is. What is asked for meanwhile is one more look after it. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#looking !== "no") {
      this.#looking = "again";
      return;
    }
    do {
      this.#looking = "yes";
      await this.#look();
    } while (this.#isAsked());
    this.#looking = "no";
  }

  /** Shows a page more. */
  more(): Promise<void> {
    this.#count = Math.min(MAX_COUNT, this.#count + PAGE_COUNT);
    return this.refresh();
  }

  /** A conversation has begun here: it stands at the top before the server lists it. */
  begin(id: string, text: string): void {
    if (this.#saved.some((chat) => chat.id === id)) return;
    this.#begun = { id, title: madeTitle(text), at: Date.now() };
    this.#show();
  }

  /** Names a conversation, at once here. Gives what went wrong; empty when nothing did. */
  async rename(id: string, title: string): Promise<string> {
    this.#titles.set(id, title);
    this.#show();
    const problem = await this.#change(id, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title }),
    });
    if (problem === "") await this.refresh();
    this.#titles.delete(id);
    this.#show();
    return problem;
  }

  /** Deletes a conversation, at once here. Gives what went wrong; empty when nothing did. */
  async remove(id: string): Promise<string> {
    this.#removed.add(id);
    this.#show();
    const problem = await this.#change(id, { method: "DELETE" });
    if (problem !== "") this.#removed.delete(id);
    this.#show();
    return problem;
  }

  async #change(id: string, init: RequestInit): Promise<string> {
    try {
      const response = await this.#send(`/api/chat/${encodeURIComponent(id)}`, init);
      return response.ok ? "" : await complaint(response);
    } catch {
      return "The server cannot be reached. Try again.";
    }
  }

  async #look(): Promise<void> {
    try {
      const response = await this.#send(`/api/chat?count=${this.#count}`);
      if (!response.ok) return this.#show(await complaint(response));
      const { conversations, before } = (await response.json()) as Page;
      this.#saved = conversations;
      this.#view = { ...this.#view, hasMore: before !== undefined && this.#count < MAX_COUNT, isLoaded: true };
      if (conversations.some(({ id }) => id === this.#begun?.id)) this.#begun = undefined;
      this.#show();
    } catch {
      this.#show("The list cannot be loaded.");
    }
  }

  #show(problem = ""): void {
    const all = this.#begun === undefined ? this.#saved : [this.#begun, ...this.#saved];
    const chats = all
      .filter(({ id }) => !this.#removed.has(id))
      .map((chat) => {
        const title = this.#titles.get(chat.id);
        return title === undefined ? chat : { ...chat, title };
      });
    this.#view = { ...this.#view, chats, problem };
    for (const listener of this.#listeners) listener();
  }

  #isAsked(): boolean {
    return this.#looking === "again";
  }
}

/** As the server makes one, until it has said it. */
function madeTitle(text: string): string {
  const words = text.trim().replaceAll(/\s+/g, " ");
  if (words === "") return "Conversation";
  return words.length <= MADE_TITLE_CHARS ? words : `${words.slice(0, MADE_TITLE_CHARS - 1).trimEnd()}…`;
}

async function complaint(response: Response): Promise<string> {
  const fallback = `The server answered with ${response.status}. Try again.`;
  const problem = (await response.json().catch(() => null)) as { readonly detail?: unknown } | null;
  return typeof problem?.detail === "string" ? problem.detail : fallback;
}
