// How fast answers came, as far as this page has seen them from their beginning: in a few words under each.

import { useEffect, useRef, useState } from "react";
import type { ChatMessage, ChatStatus } from "tailrace/react";

/** What a token is taken for where the model has not counted them. */
const CHARS_PER_TOKEN = 4;

/** Answers' ids and what there is to say of their speed. The same map as long as no answer ends. */
export function useAnswerNotes(status: ChatStatus, last: ChatMessage | undefined): ReadonlyMap<string, string> {
  const [notes, setNotes] = useState<ReadonlyMap<string, string>>(() => new Map());
  const sentAt = useRef<number | undefined>(undefined);
  const firstAt = useRef<number | undefined>(undefined);
  useEffect(() => {
    const now = performance.now();
    if (status === "submitted") {
      sentAt.current ??= now;
      firstAt.current = undefined;
    } else if (status === "streaming") firstAt.current ??= now;
    else if (status === "ready" || status === "error") {
      if (sentAt.current !== undefined && firstAt.current !== undefined && last?.end?.reason === "completed") {
        const note = speedWords(last, firstAt.current - sentAt.current, now - firstAt.current);
        setNotes((old) => new Map(old).set(last.id, note));
      }
      sentAt.current = undefined;
    } else sentAt.current = undefined; // it was not seen from its beginning
  }, [status, last]);
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
