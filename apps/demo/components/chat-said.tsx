// The one region from which a screen reader hears what happens, and how parts of the page have something said there.

"use client";

import { type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";
import { SAY_EVENT } from "./code-block-copy.tsx";

/** How long words stand: longer than it takes to say them. */
const SAID_MS = 4_000;

/** Has `words` said in the region of the dialog or of the page that `from` stands in. */
export function sayFrom(from: Element | null, words: string): void {
  from?.dispatchEvent(new CustomEvent(SAY_EVENT, { bubbles: true, detail: words }));
}

/** `children`: what is said when nothing else is. */
export function Said({ children }: { readonly children?: ReactNode }): ReactElement {
  const region = useRef<HTMLDivElement>(null);
  const [said, setSaid] = useState("");
  useEffect(() => {
    const root = region.current?.closest("dialog, main");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onSay = (event: Event): void => {
      clearTimeout(timer);
      setSaid(String((event as CustomEvent<unknown>).detail));
      timer = setTimeout(() => setSaid(""), SAID_MS);
    };
    root?.addEventListener(SAY_EVENT, onSay);
    return () => {
      clearTimeout(timer);
      root?.removeEventListener(SAY_EVENT, onSay);
    };
  }, []);
  return (
    <div ref={region} role="status" className="visually-hidden">
      {said || children}
    </div>
  );
}
