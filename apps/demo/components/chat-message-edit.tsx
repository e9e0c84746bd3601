// A message of the reader as it is said in other words, in its place.

"use client";

import { type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from "react";

interface EditProps {
  readonly text: string;
  /** False if it is not taken now. */
  readonly onSend: (text: string) => boolean;
  readonly onCancel: () => void;
}

export function MessageEdit({ text, onSend, onCancel }: EditProps): ReactElement {
  const [draft, setDraft] = useState(text);
  const [problem, setProblem] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  useEffect(() => {
    const element = field.current;
    element?.focus();
    element?.setSelectionRange(element.value.length, element.value.length);
    // After the conversation has gone to its end, which the form has moved: in the second frame from now.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => element?.form?.scrollIntoView({ block: "nearest" }));
    });
    return () => cancelAnimationFrame(frame);
  }, []);

  const send = (): void => {
    const words = draft.trim();
    if (words === "") setProblem("There is nothing in it.");
    else if (words === text.trim()) onCancel();
    else if (!onSend(words)) setProblem("It cannot be sent now.");
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // Keys that choose a word of an input method are not meant for us.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      onCancel();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  };
  return (
    <form
      className="message-edit"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer-field" data-draft={draft}>
        <textarea
          ref={field}
          rows={1}
          data-testid="edit-field"
          aria-label="Your message in other words"
          aria-describedby={`${id}-keys`}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <div className="message-edit-foot">
        <span id={`${id}-keys`}>Enter sends, Esc leaves it as it was.</span>
        <button type="button" className="button button-small" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" className="button button-small button-primary">
          Send
        </button>
      </div>
      <div role="alert">{problem === "" ? null : <p className="message-end message-end-bad">{problem}</p>}</div>
    </form>
  );
}
