// Copies the code block that it stands in. It reads the code off the page, so that a page need not carry it twice.

"use client";

import { type MouseEvent, type ReactElement, useEffect, useState } from "react";

/** How long "Copied" stays. */
const COPIED_MS = 2_000;

/** Bubbles from the button to whoever has a status region: `detail` is what to say there, empty when that is over. */
export const SAY_EVENT = "say";

export function CopyCode(): ReactElement {
  const [copied, setCopied] = useState<Element | null>(null);
  useEffect(() => {
    if (copied === null) return undefined;
    const timer = setTimeout(() => {
      setCopied(null);
      say(copied, "");
    }, COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = async ({ currentTarget: button }: MouseEvent<HTMLButtonElement>): Promise<void> => {
    const code = button.closest(".code")?.querySelector("code");
    try {
      await navigator.clipboard.writeText((code?.textContent ?? "").replace(/\n$/, ""));
      setCopied(button);
      say(button, "Code copied");
    } catch {
      // Without https, or without leave, there is no clipboard: marked, it can be copied by hand.
      if (code) window.getSelection()?.selectAllChildren(code);
      say(button, "Code selected");
    }
  };
  return (
    <button type="button" className="code-copy" aria-label="Copy code" onClick={(event) => void copy(event)}>
      {copied === null ? "Copy" : "Copied"}
    </button>
  );
}

function say(from: Element, words: string): void {
  from.dispatchEvent(new CustomEvent(SAY_EVENT, { bubbles: true, detail: words }));
}
