// The words of the transport for the AI SDK's hook: what it is made with, and what the hook calls it with. Shapes alone, so
// that nothing here needs the AI SDK.

import type { TailraceError } from "../errors.ts";
import type { ChatOptions } from "./chat-types.ts";
import type { Fetch, HeadersSource } from "./stream-types.ts";

/** Options of a `TailraceChatTransport`. */
export interface ChatTransportOptions {
  /** The endpoint. A query or fragment is kept behind the paths that are added to it. @default "/api/chat" */
  readonly api?: string | undefined;
  /** Headers of every request, or a function that makes them for each attempt. Those of a single call go on top. */
  readonly headers?: HeadersSource | undefined;
  /** @default "same-origin" */
  readonly credentials?: RequestCredentials | undefined;
  readonly fetch?: Fetch | undefined;
  /** Further members of the POST's body, or a function that makes them for each. */
  readonly body?: object | (() => object | Promise<object>) | undefined;
  /**
   * Send the last message alone, and the ids of up to 20 before it as `history`, to a server that keeps them itself.
   * @default false
   */
  readonly lastMessageOnly?: boolean | undefined;
  /** Whether the hook's `stop()` stops the answer on the server too. `stop(chatId)` does so always. @default true */
  readonly stopsOnAbort?: boolean | undefined;
  /** How long a stop may take, its retries counted; the next message of the chat waits for it. @default 10000 */
  readonly stopTimeoutMs?: number | undefined;
  /** A stop that the server did not take: it may still be writing. The hook has nowhere to show it. */
  readonly onStopError?: ((error: TailraceError, chatId: string) => void) | undefined;
  /** How the connection comes back, and how much it holds. `maxAttempts` is 20 here. */
  readonly connection?: ChatOptions["connection"];
}

/** What one call may add to its requests. */
interface CallOptions {
  readonly headers?: Record<string, string> | Headers | undefined;
  readonly body?: object | undefined;
  /** Taken, as the hook hands it over, and not used. */
  readonly metadata?: unknown;
}

/** What the hook sends with. */
export interface TransportSendOptions extends CallOptions {
  readonly trigger: "submit-message" | "regenerate-message";
  readonly chatId: string;
  readonly messageId: string | undefined;
  readonly messages: readonly { readonly id: string }[];
  readonly abortSignal: AbortSignal | undefined;
}

/** What the hook resumes with. */
export interface TransportReconnectOptions extends CallOptions {
  readonly chatId: string;
  readonly abortSignal?: AbortSignal | undefined;
}
