// The uploads of this tab: how far each is, and what can be done with it.

"use client";

import type { ReactElement } from "react";
import type { UploadItem, UploadTotals } from "tailrace/react";
import { amountWords, lineWords, rateWords, remainingWords, sizeWords } from "../lib/transfer-words.ts";
import { TransferBar } from "./transfer-bar.tsx";

interface ListProps extends Actions {
  readonly uploads: readonly UploadItem[];
  readonly totals: UploadTotals;
}

interface Actions {
  readonly onPause: (id: string) => void;
  readonly onResume: (id: string) => void;
  readonly onRemove: (id: string) => void;
}

export function UploadList({ uploads, totals, ...actions }: ListProps): ReactElement | null {
  if (uploads.length === 0) return null;
  return (
    <>
      {uploads.length === 1 ? null : <p className="transfer-line upload-totals">{totalsWords(totals)}</p>}
      <ul className="transfers">
        {uploads.map((upload) => (
          <UploadRow key={upload.id} upload={upload} {...actions} />
        ))}
      </ul>
    </>
  );
}

function UploadRow({ upload, onPause, onResume, onRemove }: { readonly upload: UploadItem } & Actions): ReactElement {
  const { id, name, status, bytesStored, bytesSent, totalBytes } = upload;
  const step = nextStep(upload);
  return (
    <li className="transfer" data-testid="upload" data-name={name} data-status={status} data-stored={bytesStored}>
      <div className="transfer-head">
        <h3>{name}</h3>
        <div className="transfer-actions">
          {step === null ? null : (
            // One button with changing words, so that the keyboard's focus stays on it.
            <button
              type="button"
              className="button button-small"
              data-testid={step === "Pause" ? "pause" : "resume"}
              aria-label={`${step}: ${name}`}
              onClick={() => (step === "Pause" ? onPause(id) : onResume(id))}
            >
              {step}
            </button>
          )}
          <button
            type="button"
            className="button button-small"
            data-testid="remove"
            aria-label={status === "done" ? `Clear from this list: ${name}` : `Remove, also from the server: ${name}`}
            onClick={() => onRemove(id)}
          >
            {status === "done" ? "Clear" : "Remove"}
          </button>
        </div>
      </div>
      <TransferBar
        label={`${name}, bytes on the server`}
        bytes={bytesStored}
        totalBytes={totalBytes}
        sentBytes={bytesSent}
        status={status}
      />
      <p className="transfer-line" data-status={status}>
        {uploadWords(upload)}
      </p>
    </li>
  );
}

/** What the reader can do about it, beside taking it out of the list. */
function nextStep({ status, error }: UploadItem): "Pause" | "Resume" | "Try again" | null {
  if (status === "done") return null;
  // A file that cannot be read any more has to be chosen again.
  if (status === "failed") return error?.code === "source_failed" ? null : "Try again";
  return status === "paused" ? "Resume" : "Pause";
}

function uploadWords(upload: UploadItem): string {
  const { status, bytesStored, totalBytes, bytesPerSecond, remainingMs, restarted, error } = upload;
  const stored = `${amountWords(bytesStored, totalBytes)} stored`;
  const again = restarted === 0 ? "" : "begun anew, as the server had lost it";
  switch (status) {
    case "queued":
      return lineWords("Waiting for its turn", sizeWords(totalBytes));
    case "creating":
      return lineWords("Asking the server", sizeWords(totalBytes));
    case "sending":
      return lineWords(stored, rateWords(bytesPerSecond), remainingWords(remainingMs), again);
    case "paused":
      return lineWords("Paused", stored);
    case "waiting":
      return lineWords("Connection lost, tried again by itself", stored);
    case "verifying":
      return lineWords("All sent, waiting for the server", stored);
    case "done":
      return lineWords("Stored", sizeWords(totalBytes), again);
    case "failed":
      return error?.message ?? "Failed";
  }
}

function totalsWords({ files, done, failed, ...totals }: UploadTotals): string {
  return lineWords(
    `${done} of ${files} stored`,
    failed === 0 ? "" : `${failed} failed`,
    amountWords(totals.bytesStored, totals.totalBytes),
    rateWords(totals.bytesPerSecond),
    totals.bytesPerSecond > 0 ? remainingWords(totals.remainingMs) : "",
  );
}
