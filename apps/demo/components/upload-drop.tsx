// The place where files are dropped, which is a button that opens the browser's picker too.

"use client";

import { type ReactElement, type RefObject, useId } from "react";
import { useDroppedFiles } from "./use-dropped-files.ts";

interface DropProps {
  readonly zone: RefObject<HTMLButtonElement | null>;
  readonly input: RefObject<HTMLInputElement | null>;
  /** `refusal`: what to say of dropped things that are no files; empty when there were none. */
  readonly onFiles: (files: readonly File[], refusal: string) => void;
}

export function UploadDrop({ zone, input, onFiles }: DropProps): ReactElement {
  const isOver = useDroppedFiles(onFiles);
  const hint = useId();
  return (
    <div className="drop">
      <button
        ref={zone}
        type="button"
        className="drop-zone"
        data-testid="drop"
        data-over={isOver}
        aria-describedby={hint}
        onClick={() => input.current?.click()}
      >
        <svg width="32" height="32" viewBox="0 0 32 32" fill="none" stroke="currentColor" strokeWidth="2.4" aria-hidden>
          <path d="M16 20V5M9 12l7-7 7 7" strokeLinecap="round" strokeLinejoin="round" />
          <path d="M4 20v7h24v-7" strokeLinecap="round" strokeLinejoin="round" strokeOpacity=".45" />
        </svg>
        <span className="drop-name">{isOver ? "Let go to upload" : "Choose files"}</span>
      </button>
      <p id={hint} className="drop-hint">
        or drop them anywhere on this page. Several at once are fine.
      </p>
      {/* The button above is its face: shown to nobody, and not in the order of the keyboard. */}
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        data-testid="file-input"
        onChange={({ target }) => {
          const files = Array.from(target.files ?? []);
          // The same file may be chosen again.
          target.value = "";
          if (files.length > 0) onFiles(files, "");
        }}
      />
    </div>
  );
}
