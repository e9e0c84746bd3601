// What an end means for a chat: its status, its error, and the words for the status region.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { ChatStatus } from "./chat-types.ts";
import type { ChatMessage, MessageEnd } from "../wire/ui-message.ts";

/** What a chat shows of its last answer. */
export interface ChatOutcome {
  readonly status: ChatStatus;
  readonly error: TailraceError | null;
  readonly announcement: string;
}

const WORDS: Readonly<Record<MessageEnd["reason"], string>> = {
  completed: "Answer finished",
  stopped: "Answer stopped",
  failed: "Answer failed",
  interrupted: "Answer interrupted",
};

/** Any failure as the package's own error. */
export function asError(error: unknown): TailraceError {
  if (isTailraceError(error)) return error;
  const message = "The chat failed for a reason of its own; see the cause.";
  return new TailraceError("connection_failed", message, { cause: error });
}

/** A request or a connection that failed. */
export function failureOutcome(reason: unknown): ChatOutcome {
  const error = asError(reason);
  return { status: "error", error, announcement: `Answer failed: ${error.message}` };
}

/** An answer that has ended. `error` is kept where the end itself is none. */
export function endOutcome(end: MessageEnd, error: TailraceError | null): ChatOutcome {
  const words = WORDS[end.reason];
  if (end.reason === "completed" || end.reason === "stopped") return { status: "ready", error, announcement: words };
  const text = end.message ?? `${words}.`;
  return {
    status: "error",
    error: new TailraceError("source_failed", text, { details: { reason: end.reason } }),
    announcement: end.reason === "failed" ? `${words}: ${text}` : words,
  };
}

/** An answer that was followed and that the server no longer runs: what its saved messages say of it. */
export function savedOutcome(saved: readonly ChatMessage[]): ChatOutcome {
  const last = saved.at(-1);
  if (last?.end !== undefined) return endOutcome(last.end, null);
  if (last?.role === "assistant") return { status: "ready", error: null, announcement: "" };
  const text = "The server no longer runs this answer and has saved none. Retry to ask again.";
  return failureOutcome(new TailraceError("connection_failed", text));
}
