// Uploads: a place to drop files, those of this tab, those left unfinished, and what everybody else uploads.

"use client";

import { type ReactElement, useCallback, useRef, useState } from "react";
import { useUpload } from "tailrace/react";
import type { ListedUpload } from "../lib/followed-uploads.ts";
import { UploadDrop } from "./upload-drop.tsx";
import { UploadElsewhere } from "./upload-elsewhere.tsx";
import { UploadList } from "./upload-list.tsx";
import { UPLOAD_URL, uploadQueue } from "./upload-queue.ts";
import { UploadUnfinished } from "./upload-unfinished.tsx";
import { usePolled } from "./use-polled.ts";

const LOOK_EVERY_MS = 3_000;

export function UploadPage(): ReactElement {
  const { uploads, totals, add, pause, resume, remove, announcement } = useUpload(UPLOAD_URL, { queue: uploadQueue });
  const listing = usePolled<{ readonly uploads: readonly ListedUpload[] }>("/api/uploads", LOOK_EVERY_MS);
  const [problem, setProblem] = useState("");
  const picker = useRef<HTMLInputElement>(null);
  const zone = useRef<HTMLButtonElement>(null);

  const take = useCallback(
    (files: readonly File[], refusal: string): void => {
      setProblem(refusal);
      try {
        add(files);
      } catch (error) {
        setProblem(error instanceof Error ? error.message : String(error));
      }
    },
    [add],
  );
  const discard = (id: string): void => {
    const upload = uploadQueue.uploads.find((candidate) => candidate.id === id)?.upload;
    // What the server has of it goes too; a server that is away removes it when it expires.
    if (upload !== undefined && upload.state.status !== "done") void upload.abort({ terminate: true });
    remove(id);
    // The button that was pressed is gone, and the keyboard's focus with it.
    zone.current?.focus();
  };
  const listed = listing.value?.uploads ?? null;

  return (
    <main className="page">
      <h1>Upload</h1>
      <p className="lead">
        Each file goes on from where the server is: after a pause, after a cut, after a reload and after a restart of
        the server. Open this page a second time, or on another device, and watch.
      </p>
      <div className="upload">
        <section aria-labelledby="upload-own">
          <h2 id="upload-own">From this tab</h2>
          <UploadDrop zone={zone} input={picker} onFiles={take} />
          <div role="alert">{problem === "" ? null : <p className="notice notice-danger">{problem}</p>}</div>
          <UploadList uploads={uploads} totals={totals} onPause={pause} onResume={resume} onRemove={discard} />
          <UploadUnfinished own={uploads} listed={listed} onChoose={() => picker.current?.click()} />
        </section>
        <UploadElsewhere own={uploads} listed={listed} problem={listing.problem} />
      </div>
      <div role="status" className="visually-hidden">
        {announcement}
      </div>
    </main>
  );
}
