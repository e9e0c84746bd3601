// One export: how far it is, and its file once it is done.

"use client";

import { type ReactElement, useEffect } from "react";
import { useJob, type JobSnapshot } from "tailrace/react";
import type { ExportInput } from "../lib/export-input.ts";
import { exportWords } from "../lib/job-words.ts";
import { formatWords } from "./export-form.tsx";
import { TransferBar } from "./transfer-bar.tsx";

/** What `GET /api/exports` tells of each. */
export interface ListedExport extends JobSnapshot {
  readonly rows: number;
  readonly bytes: number;
  readonly isExpired: boolean;
}

/** Said aloud. */
const STATE_WORDS: Readonly<Record<JobSnapshot["state"], string>> = {
  queued: "waits for its turn",
  running: "is being made",
  completed: "is ready to be downloaded",
  stopped: "was cancelled",
  failed: "failed",
  interrupted: "was interrupted",
};

interface RowProps {
  readonly listed: ListedExport;
  readonly isFollowed: boolean;
  readonly onChange: () => void;
}

export function ExportRow({ listed, isFollowed, onChange }: RowProps): ReactElement {
  const view = useJob({ api: "/api/exports", id: isFollowed ? listed.id : null });
  const { cancel, retry, follow, cancelling, announcement, error } = view;
  const job = view.job ?? listed;
  const { id, end, progress, state } = job;
  useEffect(() => {
    if (end !== undefined && listed.end === undefined) onChange();
  }, [end, listed.end, onChange]);

  const { table, format, rows, filter } = listed.input as ExportInput;
  const what = filter === undefined ? table : `${table}, ${filter}`;
  const name = `${what}, ${rows.toLocaleString("en")} rows, ${formatWords(format)}`;
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    follow(id);
    await work();
    follow(isFollowed ? id : null);
    onChange();
  };
  return (
    <li className="transfer" data-testid="export" data-id={id} data-state={state}>
      <div className="transfer-head">
        <h3>{name}</h3>
        <div className="transfer-actions">
          {state === "completed" && !listed.isExpired ? (
            <a
              className="button button-small"
              data-testid="file"
              href={`/api/exports/${id}/file`}
              aria-label={`Download: ${name}`}
              download
            >
              Download
            </a>
          ) : null}
          {end === undefined ? (
            <button
              type="button"
              className="button button-small"
              data-testid="cancel"
              aria-label={`Cancel: ${name}`}
              // Not `disabled`: that would take the focus away from whoever pressed it.
              aria-disabled={cancelling}
              onClick={() => void (cancelling || act(cancel))}
            >
              {cancelling ? "Cancelling…" : "Cancel"}
            </button>
          ) : (
            <button
              type="button"
              className="button button-small"
              data-testid="retry"
              aria-label={`Again: ${name}`}
              // The second click of two meant the button that stood here before.
              onClick={({ detail }) => void (detail > 1 || act(retry))}
            >
              Again
            </button>
          )}
        </div>
      </div>
      {end === undefined ? (
        <TransferBar
          label={`${name}, rows written`}
          bytes={progress?.done ?? 0}
          totalBytes={state === "queued" ? 1 : (progress?.total ?? null)}
          status={state}
        />
      ) : null}
      <p className="transfer-line" data-status={state} data-testid="export-line">
        {exportWords(job, listed)}
      </p>
      {error === null ? null : (
        <p role="alert" className="notice notice-danger">
          {error.message}
        </p>
      )}
      <div role="status" className="visually-hidden">
        {announcement === "" ? "" : `${name}: ${STATE_WORDS[state]}`}
      </div>
    </li>
  );
}
