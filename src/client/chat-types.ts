// The words of a chat's public surface.

import type { TailraceError } from "../errors.ts";
import type { ConnectionStatus, Fetch, HeadersSource, OpenOptions } from "./stream-types.ts";
import type { ThreadMessage } from "../wire/chat-thread.ts";
import type { ChatMessage } from "../wire/ui-message.ts";

/**
 * `loading` the messages, or a look whether an answer runs · `ready` · `submitted` sent, nothing to see yet ·
 * `streaming` · `error` the last request or answer failed; another may be sent.
 */
export type ChatStatus = "loading" | "ready" | "submitted" | "streaming" | "error";

/**
 * What a message does that is sent while an answer is awaited: `refuse` nothing · `queue` it waits until the answer is complete ·
 * `replace` it takes the answer's turn, which is stopped and keeps what it has.
 */
export type WhileStreaming = "queue" | "replace" | "refuse";

/** A file of a message: what an upload has given, never the bytes. */
export interface ChatFile {
  /** At most 2,048 characters. */
  readonly url: string;
  readonly mediaType: string;
  readonly filename?: string | undefined;
}

/** What is sent: a text, or a text with files. */
export type ChatInput = string | { readonly text: string; readonly files?: readonly ChatFile[] | undefined };

/** What came of a tool call that this page has run. */
export type ToolOutput =
  | { readonly toolCallId: string; readonly output: unknown }
  | { readonly toolCallId: string; readonly errorText: string };

/** Whether a tool may run. */
export interface ApprovalAnswer {
  readonly approvalId: string;
  readonly approved: boolean;
  readonly reason?: string | undefined;
}

/** Options of a chat. */
export interface ChatOptions {
  readonly id: string;
  /** @default "/api/chat" */
  readonly api?: string | undefined;
  readonly headers?: HeadersSource | undefined;
  readonly credentials?: RequestCredentials | undefined;
  readonly fetch?: Fetch | undefined;
  /** Messages that are known already (rendered on the server, say). They are not loaded again then. */
  readonly initialMessages?: readonly ChatMessage[] | undefined;
  /** How many messages are loaded at once. @default 100 */
  readonly historyCount?: number | undefined;
  /** @default "refuse" */
  readonly whileStreaming?: WhileStreaming | undefined;
  /** Send all messages with each POST, for a server that keeps none. @default false */
  readonly sendHistory?: boolean | undefined;
  /**
   * Hear of turns that others begin, over one connection that is open only while no answer is followed and the page is shown.
   * @default true
   */
  readonly live?: boolean | undefined;
  /** Further members of the POST's body. */
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  /** How long a stop may take until the answer is closed here alone. @default 10000 */
  readonly stopTimeoutMs?: number | undefined;
  /** Makes the ids of the reader's messages. Default: 24 random hexadecimal digits. */
  readonly generateId?: (() => string) | undefined;
  /** How the connection comes back and how much it holds. */
  readonly connection?:
    | Pick<OpenOptions, "minDelayMs" | "maxDelayMs" | "maxAttempts" | "idleMs" | "maxEventBytes" | "maxQueuedItems">
    | undefined;
}

/** What a chat shows. Never changed: each change gives a new object. */
export interface ChatSnapshot {
  /** One path of the conversation. A message that has not changed is the same object as before. */
  readonly messages: readonly ThreadMessage[];
  /** Messages that wait for their turn; the oldest first. */
  readonly queued: readonly ChatMessage[];
  /** Whether there are messages before these: see `loadEarlier`. */
  readonly hasEarlier: boolean;
  /** Empty until the server has said it. */
  readonly title: string;
  readonly status: ChatStatus;
  /** The state of the stream, `idle` when there is none. `waiting` means that it was cut and comes back by itself. */
  readonly connection: ConnectionStatus | "idle";
  /** A stop was asked for and the server has not ended the answer yet. */
  readonly stopping: boolean;
  readonly error: TailraceError | null;
  /** A short sentence for a visually hidden status region: started, finished, stopped, failed; never the text itself. */
  readonly announcement: string;
}
