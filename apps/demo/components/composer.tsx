// Where a message is written: grows with it, sends on Enter, takes files, and shows Stop while an answer is written.

"use client";

import { type ClipboardEvent, type FormEvent, type KeyboardEvent, type ReactElement, useId, useRef } from "react";
import { Icon } from "./chat-icons.tsx";

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
  /** Where files can go with the message: who takes them, and what the button says. */
  readonly files?: { readonly onFiles: (files: readonly File[]) => void; readonly hint: string } | undefined;
  /** Whether there is something to send that will wait for the answer. */
  readonly isQueueing?: boolean | undefined;
}

export function Composer(props: ComposerProps): ReactElement {
  const { draft, onDraft, canSend, onSend, isAnswering, isStopping, onStop, files, isQueueing = false } = props;
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
  const onPaste = (event: ClipboardEvent): void => {
    const pasted = Array.from(event.clipboardData.files);
    // A text that was copied out of a document often has a picture of itself beside it.
    if (files === undefined || pasted.length === 0 || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    files.onFiles(pasted);
  };

  return (
    <form className="composer" onSubmit={submit}>
      {files === undefined ? null : <AttachButton {...files} />}
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
          onPaste={onPaste}
        />
      </div>
      <span id={`${id}-keys`} className="visually-hidden">
        Enter sends, Shift and Enter begin a new line.
      </span>
      {isAnswering ? (
        <button
          type="button"
          className={`button${isQueueing ? " composer-small" : ""}`}
          data-testid="stop"
          onClick={stop}
          disabled={isStopping}
          aria-label={isStopping ? "Stopping" : "Stop"}
        >
          <svg width="10" height="10" aria-hidden>
            <rect width="10" height="10" rx="1.500" fill="currentColor" />
          </svg>
          {isQueueing ? null : isStopping ? "Stopping" : "Stop"}
        </button>
      ) : null}
      {isAnswering && !isQueueing ? null : (
        <button
          type="submit"
          className={`button button-primary${isQueueing ? " composer-middle" : ""}`}
          data-testid="send"
          disabled={!canSend}
        >
          {isQueueing ? "Queue" : "Send"}
        </button>
      )}
    </form>
  );
}

function AttachButton({ onFiles, hint }: NonNullable<ComposerProps["files"]>): ReactElement {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className="icon-button composer-clip"
        data-testid="attach"
        aria-label={hint}
        title={hint}
        onClick={() => input.current?.click()}
      >
        <Icon name="clip" />
      </button>
      {/* The button is its face: shown to nobody, and not in the order of the keyboard. */}
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={hint}
        data-testid="file-input"
        onChange={({ target }) => {
          const chosen = Array.from(target.files ?? []);
          // The same file may be chosen again.
          target.value = "";
          if (chosen.length > 0) onFiles(chosen);
        }}
      />
    </>
  );
}
