// Where a message is written: grows with it, sends on Enter, and shows Stop while an answer is written.

"use client";

import { type FormEvent, type KeyboardEvent, type ReactElement, useId, useRef } from "react";

interface ComposerProps {
  readonly draft: string;
  readonly onDraft: (draft: string) => void;
  /** Whether a message can be sent now. */
  readonly canSend: boolean;
  readonly onSend: () => void;
  /** Whether an answer is under way. */
  readonly isAnswering: boolean;
  readonly isStopping: boolean;
  readonly onStop: () => void;
}

export function Composer(props: ComposerProps): ReactElement {
  const { draft, onDraft, canSend, onSend, isAnswering, isStopping, onStop } = props;
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);

  // The button that was pressed goes away, and the focus must not go with it. On a touch screen that would only bring
  // the keyboard up.
  const refocus = (): void => {
    if (window.matchMedia("(pointer: fine)").matches) field.current?.focus();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (canSend) onSend();
    refocus();
  };
  const stop = (): void => {
    onStop();
    refocus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // Enter that accepts a word of an input method is not meant for us.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (canSend) onSend();
  };

  return (
    <form className="composer" onSubmit={submit}>
      <label htmlFor={id} className="visually-hidden">
        Message
      </label>
      {/* The text stands here once more, unseen, and so gives the field its height. */}
      <div className="composer-field" data-draft={draft}>
        <textarea
          ref={field}
          id={id}
          data-testid="composer"
          rows={1}
          placeholder="Ask about Tailrace"
          aria-describedby={`${id}-keys`}
          value={draft}
          onChange={(event) => onDraft(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <span id={`${id}-keys`} className="visually-hidden">
        Enter sends, Shift and Enter begin a new line.
      </span>
      {isAnswering ? (
        <button type="button" className="button" data-testid="stop" onClick={stop} disabled={isStopping}>
          <svg width="10" height="10" aria-hidden>
            <rect width="10" height="10" rx="1.500" fill="currentColor" />
          </svg>
          {isStopping ? "Stopping" : "Stop"}
        </button>
      ) : (
        <button type="submit" className="button button-primary" data-testid="send" disabled={!canSend}>
          Send
        </button>
      )}
    </form>
  );
}
