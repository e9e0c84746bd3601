// What an empty conversation shows: what to do here, and questions that the documentation answers.

import type { ReactElement } from "react";

const QUESTIONS = [
  "How does a reader come back after a cut?",
  "What happens to a run when its server dies?",
  "What does a gap event mean?",
  "Delete my notes, please",
] as const;

export function ChatStart({ onAsk }: { readonly onAsk: (question: string) => void }): ReactElement {
  return (
    <div className="chat-start">
      <h2>Ask, and then try to break it</h2>
      <p>
        The answer is written on the server, into a log, whether you look or not. Reload while it grows, follow it in a
        second tab, stop it from there, or end the server and start it again.
      </p>
      <ul>
        {QUESTIONS.map((question) => (
          <li key={question}>
            <button type="button" className="button" onClick={() => onAsk(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
      <a href="/chat/ai-sdk">The same with the AI SDK’s own hook</a>
    </div>
  );
}
