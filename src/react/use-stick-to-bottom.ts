"use client";
// A scroll container that stays at its bottom while an answer grows, and that respects the reader.

import { type RefCallback, useCallback, useMemo, useRef, useState } from "react";
import { type Stick, stickToBottom } from "../client/stick-to-bottom.ts";

/** What {@link useStickToBottom} gives. */
export interface UseStickToBottom {
  /** For the scroll container. */
  readonly ref: RefCallback<HTMLElement>;
  /** Whether it sticks; false once the reader has scrolled up. */
  readonly isAtBottom: boolean;
  /** Goes to the bottom and sticks there; without motion for readers who prefer that. */
  readonly scrollToBottom: () => void;
}

/**
 * Keeps a scroll container at its bottom while its content grows. It lets go as soon as the reader scrolls up, by
 * wheel, touch, keys or scroll bar, and sticks again when the reader comes back to the bottom or calls
 * `scrollToBottom`.
 *
 * @example
 * const { ref, isAtBottom, scrollToBottom } = useStickToBottom();
 */
export function useStickToBottom(): UseStickToBottom {
  const stick = useRef<Stick | null>(null);
  const [isAtBottom, setAtBottom] = useState(true);
  const ref = useCallback((container: HTMLElement | null) => {
    if (container === null) return undefined;
    const own = stickToBottom(container, { onChange: setAtBottom });
    stick.current = own;
    setAtBottom(true);
    return () => {
      own.release();
      stick.current = null;
    };
  }, []);
  const scrollToBottom = useCallback(() => stick.current?.scrollToBottom(), []);
  return useMemo(() => ({ ref, isAtBottom, scrollToBottom }), [ref, isAtBottom, scrollToBottom]);
}
