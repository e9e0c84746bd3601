// What others upload: the last uploads of everybody, the liveliest of them followed.

"use client";

import { type ReactElement, useCallback, useEffect, useState } from "react";
import { useStream } from "tailrace/react";
import { chooseFollowed, isOver, type ListedUpload } from "../lib/followed-uploads.ts";
import { amountWords, lineWords, progressWords, rateWords, remainingWords, sizeWords } from "../lib/transfer-words.ts";
import { TransferBar } from "./transfer-bar.tsx";

/** What `GET /api/uploads/{id}/progress` sends. */
interface Progress extends ListedUpload {
  readonly bytesPerSecond?: number | null | undefined;
  readonly remainingMs?: number | null | undefined;
  readonly code?: string | null | undefined;
}

interface ElsewhereProps {
  /** Uploads of this tab: they are shown beside, and not twice. */
  readonly own: readonly { readonly uploadId: string | null }[];
  readonly listed: readonly ListedUpload[] | null;
  readonly problem: string | null;
}

const NONE: ReadonlySet<string> = new Set();

export function UploadElsewhere({ own, listed, problem }: ElsewhereProps): ReactElement {
  // Those whose stream has told their end, which the list tells a moment later.
  const [over, setOver] = useState(NONE);
  const onOver = useCallback((id: string) => setOver((before) => new Set(before).add(id)), []);
  const others = listed?.filter(({ id }) => own.every(({ uploadId }) => uploadId !== id)) ?? [];
  const followed = chooseFollowed(others, over);
  return (
    <section aria-labelledby="upload-others">
      <h2 id="upload-others">In other tabs and on other devices</h2>
      {problem === null ? null : <p className="notice">{problem} This list may be old.</p>}
      {others.length > 0 ? (
        <ul className="transfers">
          {others.map((upload) => (
            // A stream that has ended keeps its last word, and no connection.
            <Followed
              key={upload.id}
              upload={upload}
              follows={followed.has(upload.id) || over.has(upload.id)}
              onOver={onOver}
            />
          ))}
        </ul>
      ) : (
        <p className="transfer-line">{listed === null ? "Waiting for the server…" : "Nobody else has uploaded yet."}</p>
      )}
    </section>
  );
}

interface FollowedProps {
  readonly upload: ListedUpload;
  readonly follows: boolean;
  readonly onOver: (id: string) => void;
}

function Followed({ upload, follows, onOver }: FollowedProps): ReactElement {
  const { id } = upload;
  const url = follows ? `/api/uploads/${encodeURIComponent(id)}/progress` : null;
  const { last, status } = useStream<Progress>(url, { maxItems: 1, pauseWhenHidden: true });
  const told = isProgress(last?.data) ? last.data : null;
  const hasEnded = status === "done" || status === "failed";
  // A stream that was left before its last word is older than the list.
  const progress: Progress = told !== null && (!hasEnded || isOver(told.state)) ? told : upload;
  const { state, bytes } = progress;
  const name = progress.name ?? upload.name ?? "A file without a name";
  const totalBytes = progress.totalBytes ?? upload.totalBytes ?? null;
  // Also for a stream that ends without a last word: its place is wanted by another.
  const isDone = isOver(state) || hasEnded;
  useEffect(() => {
    if (follows && isDone) onOver(id);
  }, [follows, isDone, id, onOver]);
  const words = (
    <p className="transfer-line" data-status={state}>
      {followedWords(progress, totalBytes)}
    </p>
  );
  return (
    <li className="transfer" data-testid="followed" data-id={id} data-state={state} data-live={status === "open"}>
      <div className="transfer-head">
        <h3>{name}</h3>
        {isOver(state) ? words : null}
      </div>
      {isOver(state) ? null : (
        <>
          <TransferBar label={`${name}, bytes on the server`} bytes={bytes} totalBytes={totalBytes} status={state} />
          {words}
        </>
      )}
    </li>
  );
}

function isProgress(value: unknown): value is Progress {
  return typeof value === "object" && value !== null && "state" in value && "bytes" in value;
}

function followedWords(progress: Progress, totalBytes: number | null): string {
  const { state, bytes, bytesPerSecond, remainingMs, code } = progress;
  const words = progressWords(state, code);
  if (state === "complete") return lineWords(words, sizeWords(bytes));
  if (state !== "receiving") return lineWords(words, amountWords(bytes, totalBytes));
  return (
    lineWords(amountWords(bytes, totalBytes), rateWords(bytesPerSecond ?? 0), remainingWords(remainingMs)) || words
  );
}
