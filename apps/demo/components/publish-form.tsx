// Publishes a notification.

"use client";

import { type FormEvent, type ReactElement, useId, useRef, useState } from "react";

interface Outcome {
  readonly isSent: boolean;
  readonly words: string;
}

export function PublishForm(): ReactElement {
  const [title, setTitle] = useState("");
  const [body, setBody] = useState("");
  const [isSending, setSending] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  const id = useId();
  const titleField = useRef<HTMLInputElement>(null);

  const publish = async (): Promise<void> => {
    setSending(true);
    setOutcome(undefined);
    const result = await post(title.trim(), body.trim());
    setSending(false);
    setOutcome(result);
    if (!result.isSent) return;
    setTitle("");
    setBody("");
    titleField.current?.focus();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void publish();
  };

  return (
    <form className="publish" onSubmit={submit}>
      <div>
        <label htmlFor={`${id}-title`}>Title</label>
        <input
          ref={titleField}
          id={`${id}-title`}
          data-testid="title"
          required
          maxLength={200}
          autoComplete="off"
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
      </div>
      <div>
        <label htmlFor={`${id}-body`}>Text (optional)</label>
        <input
          id={`${id}-body`}
          data-testid="body"
          maxLength={4_000}
          autoComplete="off"
          value={body}
          onChange={(event) => setBody(event.target.value)}
        />
      </div>
      <div className="publish-foot">
        <button
          type="submit"
          className="button button-primary"
          data-testid="publish"
          disabled={isSending || title.trim() === ""}
        >
          {isSending ? "Publishing…" : "Publish"}
        </button>
        <span role="status" className="publish-said">
          {outcome?.isSent === true ? outcome.words : ""}
        </span>
      </div>
      <div role="alert">
        {outcome?.isSent === false ? <p className="notice notice-danger">{outcome.words}</p> : null}
      </div>
    </form>
  );
}

async function post(title: string, body: string): Promise<Outcome> {
  try {
    const response = await fetch("/api/notifications", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title, body }),
    });
    if (response.ok) return { isSent: true, words: "Published" };
    const { detail } = (await response.json().catch(() => ({}))) as { readonly detail?: unknown };
    return { isSent: false, words: typeof detail === "string" ? detail : `The server answered ${response.status}.` };
  } catch {
    return { isSent: false, words: "The server could not be reached. Your text is still here: try again." };
  }
}
