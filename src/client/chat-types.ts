// The words of a chat's public surface.

import type { TailraceError } from "../errors.ts";
import type { ConnectionStatus, Fetch, HeadersSource, OpenOptions } from "./stream-types.ts";
import type { ChatMessage } from "../wire/ui-message.ts";

/**
 * `loading` the messages, or a look whether an answer runs · `ready` · `submitted` sent, nothing to see yet ·
 * `streaming` · `error` the last request or answer failed; another may be sent.
 */
export type ChatStatus = "loading" | "ready" | "submitted" | "streaming" | "error";

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
  readonly messages: readonly ChatMessage[];
  readonly status: ChatStatus;
  /** The state of the stream, `idle` when there is none. `waiting` means that it was cut and comes back by itself. */
  readonly connection: ConnectionStatus | "idle";
  /** A stop was asked for and the server has not ended the answer yet. */
  readonly stopping: boolean;
  readonly error: TailraceError | null;
  /** A short sentence for a visually hidden status region: started, finished, stopped, failed; never the text itself. */
  readonly announcement: string;
}
