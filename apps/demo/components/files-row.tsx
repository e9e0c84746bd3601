// One file that can be downloaded: in this page, with a bar; straight to disk; or by the browser itself.

"use client";

import { type ReactElement, useEffect, useState } from "react";
import { saveAs, useDownload, type UseDownload } from "tailrace/react";
import { amountWords, lineWords, rateWords, remainingWords, sizeWords } from "../lib/transfer-words.ts";
import { FilesActions } from "./files-actions.tsx";
import { pickTarget, type SaveTarget, useCanSave } from "./files-save.tsx";
import { TransferBar } from "./transfer-bar.tsx";

/** A file in `GET /api/files`. */
export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  /** What a Date is made of. */
  readonly modifiedAt: string | number;
  readonly type: string;
}

/** A page gathers no more than this before it saves: 2 GiB. Larger files go to disk, or are the browser's own business. */
const MAX_GATHERED_BYTES = 2_147_483_648;

const MOMENT: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

interface RowProps {
  readonly file: ListedFile;
  /** The path of its folder, as in `/api/download/`. */
  readonly base: string;
  /** Tells what has happened, for those who do not see the bar. */
  readonly onSay: (words: string) => void;
}

/** A download that was asked for: into a file, or (null) gathered. */
interface Run {
  readonly target: SaveTarget | null;
}

export function FilesRow({ file, base, onSay }: RowProps): ReactElement {
  const { name, bytes, modifiedAt } = file;
  const url = base + encodeURIComponent(name);
  const [run, begin] = useState<Run | null>(null);
  const [problem, setProblem] = useState("");
  const target = run?.target ?? null;
  // A function, so that a download of a file that has changed can begin anew.
  const download = useDownload(url, { to: target === null ? "blob" : () => target.createWritable() });
  const { blob, name: told, announcement, status, start } = download;
  // Behind the hook's own effects: it knows by now where the bytes are to go.
  useEffect(() => {
    if (run !== null) start();
  }, [run, start]);
  useEffect(() => {
    if (blob !== null) saveAs(blob, told ?? name);
  }, [blob, told, name]);
  useEffect(() => {
    if (announcement !== "") onSay(`${name}: ${announcement}`);
  }, [announcement, name, onSay]);
  const canSave = useCanSave();
  const save = async (): Promise<boolean> => {
    setProblem("");
    try {
      const picked = await pickTarget(name);
      if (picked !== null) begin({ target: picked });
      return picked !== null;
    } catch (error) {
      setProblem(`The browser opens no file to save to: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  };
  const date = new Date(modifiedAt);
  return (
    <li className="transfer transfer-file" data-testid="file" data-name={name}>
      <div className="transfer-head">
        <h3>
          <a href={url} download={name} title="Download with the browser's own means">
            {name}
          </a>
        </h3>
        <div className="transfer-actions">
          <FilesActions
            name={name}
            download={download}
            link={bytes > MAX_GATHERED_BYTES ? url : null}
            onBegin={() => begin({ target: status === "failed" ? target : null })}
            onSave={canSave ? save : null}
          />
        </div>
      </div>
      <p className="transfer-line">
        {sizeWords(bytes)} · <time dateTime={date.toISOString()}>{MOMENT.format(date)}</time>
      </p>
      {problem === "" ? null : (
        <p className="transfer-line" data-status="failed" role="alert">
          {problem}
        </p>
      )}
      {status === "idle" ? null : <Course name={name} bytes={bytes} download={download} savedAs={target?.name} />}
    </li>
  );
}

interface CourseProps {
  readonly name: string;
  /** As the list told it; the server tells it anew. */
  readonly bytes: number;
  readonly download: UseDownload;
  /** The file on disk that it goes to. */
  readonly savedAs: string | undefined;
}

function Course({ name, bytes, download, savedAs }: CourseProps): ReactElement {
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
        {downloadWords(download, bytes, savedAs)}
      </p>
    </>
  );
}

function downloadWords(download: UseDownload, listedBytes: number, savedAs: string | undefined): string {
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
      return lineWords(savedAs === undefined ? "Saved by the browser" : `Saved as ${savedAs}`, sizeWords(bytes), again);
    case "failed":
      return error?.message ?? "Failed";
  }
}
