// How fast answers came, as far as this page has seen them from their beginning: in a few words under each.

import { useEffect, useState } from "react";
import type { Chat } from "tailrace/client";
import type { ChatMessage, ChatStatus } from "tailrace/react";

/** What a token is taken for where the model has not counted them. */
const CHARS_PER_TOKEN = 4;

/** Answers' ids and what there is to say of their speed. Renders when an answer has ended, and for no token of it. */
export function useAnswerNotes(chat: Chat): ReadonlyMap<string, string> {
  const [notes, setNotes] = useState<ReadonlyMap<string, string>>(() => new Map());
  useEffect(() => {
    let before: ChatStatus | undefined;
    let sentAt: number | undefined;
    let firstAt: number | undefined;
    return chat.subscribe(() => {
      const { status, messages } = chat.getSnapshot();
      if (status === before) return;
      before = status;
      const now = performance.now();
      if (status === "submitted") {
        sentAt ??= now;
        firstAt = undefined;
      } else if (status === "streaming") firstAt ??= now;
      else {
        const last = messages.at(-1);
        if (sentAt !== undefined && firstAt !== undefined && last?.end?.reason === "completed") {
          const note = speedWords(last, firstAt - sentAt, now - firstAt);
          setNotes((old) => new Map(old).set(last.id, note));
        }
        sentAt = undefined;
      }
    });
  }, [chat]);
  return notes;
}

function speedWords(message: ChatMessage, firstMs: number, restMs: number): string {
  const first = `First word after ${(firstMs / 1_000).toFixed(1)} s`;
  const counted = countedTokens(message.metadata);
  const chars = message.parts.reduce((sum, part) => sum + (part.type === "text" ? part.text.length : 0), 0);
  const tokens = counted ?? chars / CHARS_PER_TOKEN;
  // Of a moment's text a speed says nothing.
  if (restMs < 200) return first;
  return `${first} · ${counted === undefined ? "about " : ""}${Math.round(tokens / (restMs / 1_000))} tokens/s`;
}

function countedTokens(metadata: unknown): number | undefined {
  const usage: unknown = isRecord(metadata) ? metadata["usage"] : undefined;
  const count = isRecord(usage) ? usage["outputTokens"] : undefined;
  return typeof count === "number" ? count : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
