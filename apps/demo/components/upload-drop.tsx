// The place where files are dropped, which is a button that opens the browser's picker too.

"use client";

import { type ReactElement, type RefObject, useEffect, useId, useState } from "react";

interface DropProps {
  readonly zone: RefObject<HTMLButtonElement | null>;
  readonly input: RefObject<HTMLInputElement | null>;
  /** `refusal`: what to say of dropped things that are no files; empty when there were none. */
  readonly onFiles: (files: readonly File[], refusal: string) => void;
}

export function UploadDrop({ zone, input, onFiles }: DropProps): ReactElement {
  const isOver = useDropped(onFiles);
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

/**
 * Takes files wherever they are dropped: a browser opens a file that is dropped beside the zone, and leaves the page for
 * it. True while files are dragged over the page.
 */
function useDropped(onFiles: DropProps["onFiles"]): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const life = new AbortController();
    const { signal } = life;
    // Each element that the pointer crosses is entered and left.
    let depth = 0;
    const on = (type: "dragenter" | "dragover" | "dragleave" | "drop", take: (event: DragEvent) => void): void => {
      const listener = (event: DragEvent): void => {
        if (event.dataTransfer?.types.includes("Files") !== true) return;
        event.preventDefault();
        take(event);
      };
      window.addEventListener(type, listener, { signal });
    };
    on("dragenter", () => setOver(++depth > 0));
    on("dragleave", () => setOver(--depth > 0));
    on("dragover", ({ dataTransfer }) => {
      if (dataTransfer !== null) dataTransfer.dropEffect = "copy";
    });
    on("drop", ({ dataTransfer }) => {
      depth = 0;
      setOver(false);
      if (dataTransfer !== null) onFiles(...droppedFiles(dataTransfer));
    });
    return () => life.abort();
  }, [onFiles]);
  return isOver;
}

/** The files, and what to say of the folders among them: they would look like files that cannot be read. */
function droppedFiles(transfer: DataTransfer): readonly [files: readonly File[], refusal: string] {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === "file");
  if (items.length === 0) return [Array.from(transfer.files), ""];
  const folders = items.filter((item) => item.webkitGetAsEntry()?.isDirectory === true);
  const files = items.flatMap((item) => (folders.includes(item) ? [] : (item.getAsFile() ?? [])));
  return [files, folders.length === 0 ? "" : "A folder cannot be uploaded as one. Choose the files in it."];
}
