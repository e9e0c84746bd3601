// One file that can be downloaded: in this page, with a bar, or by the browser itself.

"use client";

import { type ReactElement, useEffect, useRef } from "react";
import { saveAs, useDownload, type UseDownload } from "tailrace/react";
import { amountWords, lineWords, rateWords, remainingWords, sizeWords } from "../lib/transfer-words.ts";
import { TransferBar } from "./transfer-bar.tsx";

/** A file in `GET /api/files`. */
export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  /** What a Date is made of. */
  readonly modifiedAt: string | number;
  readonly type: string;
}

/** A page gathers no more than this before it saves: 2 GiB. Larger files are the browser's own business. */
const MAX_GATHERED_BYTES = 2_147_483_648;

const MOMENT: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

interface RowProps {
  readonly file: ListedFile;
  /** The path of its folder, as in `/api/download/`. */
  readonly base: string;
  /** Tells what has happened, for those who do not see the bar. */
  readonly onSay: (words: string) => void;
}

export function FilesRow({ file, base, onSay }: RowProps): ReactElement {
  const { name, bytes, modifiedAt } = file;
  const url = base + encodeURIComponent(name);
  const download = useDownload(url);
  const { blob, name: told, announcement, status } = download;
  useEffect(() => {
    if (blob !== null) saveAs(blob, told ?? name);
  }, [blob, told, name]);
  useEffect(() => {
    if (announcement !== "") onSay(`${name}: ${announcement}`);
  }, [announcement, name, onSay]);
  const date = new Date(modifiedAt);
  return (
    <li className="transfer" data-testid="file" data-name={name}>
      <div className="transfer-head">
        <h3>
          <a href={url} download={name} title="Download with the browser's own means">
            {name}
          </a>
        </h3>
        <div className="transfer-actions">
          {bytes > MAX_GATHERED_BYTES ? (
            <a
              className="button button-small"
              data-testid="download"
              aria-label={`Download ${name}`}
              href={url}
              download={name}
            >
              Download
            </a>
          ) : (
            <Actions name={name} download={download} />
          )}
        </div>
      </div>
      <p className="transfer-line">
        {sizeWords(bytes)} · <time dateTime={date.toISOString()}>{MOMENT.format(date)}</time>
      </p>
      {status === "idle" ? null : <Course name={name} bytes={bytes} download={download} />}
    </li>
  );
}

function Actions({ name, download }: { readonly name: string; readonly download: UseDownload }): ReactElement {
  const { status, start, pause, resume, cancel } = download;
  const main = useRef<HTMLButtonElement>(null);
  const isOver = status === "idle" || status === "done" || status === "failed";
  // One button with changing words, so that the keyboard's focus stays on it.
  const [id, words, act] = isOver
    ? (["download", BEGIN[status], start] as const)
    : status === "paused"
      ? (["resume", "Resume", resume] as const)
      : (["pause", "Pause", pause] as const);
  return (
    <>
      <button
        ref={main}
        type="button"
        className="button button-small"
        data-testid={id}
        aria-label={`${words}: ${name}`}
        onClick={act}
      >
        {words}
      </button>
      {isOver ? null : (
        <button
          type="button"
          className="button button-small"
          data-testid="cancel"
          aria-label={`Cancel: ${name}`}
          onClick={() => {
            cancel();
            main.current?.focus();
          }}
        >
          Cancel
        </button>
      )}
    </>
  );
}

const BEGIN = { idle: "Download", done: "Download again", failed: "Try again" } as const;

interface CourseProps {
  readonly name: string;
  /** As the list told it; the server tells it anew. */
  readonly bytes: number;
  readonly download: UseDownload;
}

function Course({ name, bytes, download }: CourseProps): ReactElement {
  const { status } = download;
  return (
    <>
      <TransferBar
        label={`${name}, downloaded`}
        bytes={download.bytes}
        totalBytes={download.totalBytes ?? bytes}
        status={status}
      />
      <p className="transfer-line" data-status={status}>
        {downloadWords(download, bytes)}
      </p>
    </>
  );
}

function downloadWords(download: UseDownload, listedBytes: number): string {
  const { status, bytes, bytesPerSecond, remainingMs, restarted, error } = download;
  const amount = amountWords(bytes, download.totalBytes ?? listedBytes);
  const again = restarted === 0 ? "" : "begun anew, as the file had changed";
  switch (status) {
    case "idle":
      return "";
    case "connecting":
      return lineWords("Asking the server", amount);
    case "receiving":
      return lineWords(amount, rateWords(bytesPerSecond), remainingWords(remainingMs), again);
    case "paused":
      return lineWords("Paused", amount);
    case "waiting":
      return lineWords("Connection lost, tried again by itself", amount);
    case "verifying":
      return lineWords("All here, being checked", amount);
    case "done":
      return lineWords("Saved by the browser", sizeWords(bytes), again);
    case "failed":
      return error?.message ?? "Failed";
  }
}
