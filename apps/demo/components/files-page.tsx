// The files that this server gives out, and the videos that it plays.

"use client";

import { type ReactElement, useCallback, useState } from "react";
import { FilesRow, type ListedFile } from "./files-row.tsx";
import { usePolled } from "./use-polled.ts";
import { VideoPanel } from "./video-panel.tsx";

/** `GET /api/files`. */
interface Listing {
  readonly files: readonly ListedFile[];
  readonly videos: readonly ListedFile[];
  readonly uploads: readonly ListedFile[];
}

export function FilesPage(): ReactElement {
  const { value, problem, refresh } = usePolled<Listing>("/api/files", null);
  const [said, setSaid] = useState("");
  const say = useCallback((words: string) => setSaid(words), []);
  return (
    <main className="page">
      <h1>Files</h1>
      <p className="lead">
        A download that is paused or cut asks only for what is missing, and begins anew if the file has changed
        meanwhile. A video fetches the part that you look at.
      </p>
      {problem === null ? null : (
        <div role="alert" className="files-problem">
          <p className="notice notice-danger">{problem}</p>
          <button type="button" className="button button-small" onClick={refresh}>
            Try again
          </button>
        </div>
      )}
      {value === null && problem !== null ? null : (
        <section className="files-section" aria-labelledby="files">
          <h2 id="files">Downloads</h2>
          <Group base="/api/download/" files={value?.files} none="There is nothing to download." onSay={say} />
        </section>
      )}
      {value === null || value.uploads.length === 0 ? null : (
        <section className="files-section" aria-labelledby="files-uploaded">
          <h2 id="files-uploaded">Uploaded here</h2>
          <Group base="/api/download/uploads/" files={value.uploads} none="" onSay={say} />
        </section>
      )}
      <VideoPanel videos={value?.videos} />
      <div role="status" className="visually-hidden">
        {said}
      </div>
    </main>
  );
}

interface GroupProps {
  readonly base: string;
  /** Undefined until the server has answered. */
  readonly files: readonly ListedFile[] | undefined;
  /** What to say of an empty list. */
  readonly none: string;
  readonly onSay: (words: string) => void;
}

function Group({ base, files, none, onSay }: GroupProps): ReactElement {
  if (files === undefined) return <p className="transfer-line">Waiting for the server…</p>;
  if (files.length === 0) return <p className="transfer-line">{none}</p>;
  return (
    <ul className="transfers">
      {files.map((file) => (
        <FilesRow key={file.name} file={file} base={base} onSay={onSay} />
      ))}
    </ul>
  );
}
