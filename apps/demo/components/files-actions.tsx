// The buttons of one download. The first one changes its words and keeps the keyboard's focus.

"use client";

import { type ReactElement, type RefObject, useEffect, useRef } from "react";
import type { UseDownload } from "tailrace/react";

interface ActionsProps {
  readonly name: string;
  readonly download: UseDownload;
  /** Where the browser can get it by its own means, for a file that a page cannot gather; else null. */
  readonly link: string | null;
  /** Begins to gather, or does what has failed once more. */
  readonly onBegin: () => void;
  /** Asks for a file and begins to write it, or gives false; null where the browser cannot. */
  readonly onSave: (() => Promise<boolean>) | null;
}

const BEGIN = { idle: "Download", done: "Download again", failed: "Try again" } as const;

export function FilesActions({ name, download, link, onBegin, onSave }: ActionsProps): ReactElement {
  const { status, pause, resume, cancel } = download;
  const main = useRef<HTMLElement>(null);
  const movesFocus = useRef(false);
  const isOver = status === "idle" || status === "done" || status === "failed";
  const wasOver = useRef(isOver);
  // The button that was pressed goes with the change: the first of the new ones takes the focus.
  useEffect(() => {
    if (wasOver.current === isOver) return;
    wasOver.current = isOver;
    if (movesFocus.current) main.current?.focus();
    movesFocus.current = false;
  }, [isOver]);
  const [id, words, act] = isOver
    ? (["download", BEGIN[status], onBegin] as const)
    : status === "paused"
      ? (["resume", "Resume", resume] as const)
      : (["pause", "Pause", pause] as const);
  return (
    <>
      {isOver && link !== null && status !== "failed" ? (
        <a
          ref={main as RefObject<HTMLAnchorElement | null>}
          className="button button-small"
          data-testid="download"
          aria-label={`Download: ${name}`}
          href={link}
          download={name}
        >
          Download
        </a>
      ) : (
        <button
          ref={main as RefObject<HTMLButtonElement | null>}
          type="button"
          className="button button-small"
          data-testid={id}
          aria-label={`${words}: ${name}`}
          onClick={act}
        >
          {words}
        </button>
      )}
      {isOver ? (
        onSave === null ? null : (
          <button
            type="button"
            className="button button-small"
            data-testid="save"
            aria-label={`Save to disk: ${name}`}
            title="Straight into a file that you choose"
            onClick={() => {
              movesFocus.current = true;
              void onSave().then((began) => {
                if (!began) movesFocus.current = false;
              });
            }}
          >
            Save to disk
          </button>
        )
      ) : (
        <button
          type="button"
          className="button button-small"
          data-testid="cancel"
          aria-label={`Cancel: ${name}`}
          onClick={() => {
            movesFocus.current = true;
            cancel();
          }}
        >
          Cancel
        </button>
      )}
    </>
  );
}
