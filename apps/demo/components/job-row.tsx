// One job: how far it is, what it says of itself, and what can be done with it.

"use client";

import { type ReactElement, useEffect, useState } from "react";
import { useJob, type JobLogLine, type JobSnapshot } from "tailrace/react";
import { jobWords, kindWords, lineOf } from "../lib/job-words.ts";
import { TransferBar } from "./transfer-bar.tsx";

interface RowProps {
  /** As the list told it. */
  readonly listed: JobSnapshot;
  /** Whether its stream is followed; otherwise the list tells how it stands. */
  readonly isFollowed: boolean;
  /** Something has changed that the list does not know yet. */
  readonly onChange: () => void;
}

export function JobRow({ listed, isFollowed, onChange }: RowProps): ReactElement {
  const [isOpen, setOpen] = useState(false);
  // Whoever wants to read the log has to follow, also behind the end.
  const view = useJob({ id: isFollowed || isOpen ? listed.id : null });
  const { cancel, retry, follow, logs, droppedLogCount, cancelling, announcement, error } = view;
  const job = view.job ?? listed;
  const { id, end, progress, state } = job;
  useEffect(() => {
    if (end !== undefined && listed.end === undefined) onChange();
  }, [end, listed.end, onChange]);

  const again = async (): Promise<void> => {
    follow(id);
    await retry();
    follow(isOpen ? id : null);
    onChange();
  };

  // Of the list: what followers are sent leaves out what the job was started with.
  const name = kindWords(listed);
  return (
    <li className="transfer" data-testid="job" data-id={id} data-state={state}>
      <div className="transfer-head">
        <h3>{name}</h3>
        <div className="transfer-actions">
          {end === undefined ? (
            <button
              type="button"
              className="button button-small"
              data-testid="cancel"
              aria-label={`Cancel: ${name}`}
              // Not disabled, which would take the keyboard's focus away.
              aria-disabled={cancelling}
              onClick={() => {
                if (cancelling) return;
                follow(id);
                void cancel().then(onChange);
              }}
            >
              {cancelling ? "Cancelling…" : "Cancel"}
            </button>
          ) : (
            <button
              type="button"
              className="button button-small"
              data-testid="retry"
              aria-label={`Again: ${name}`}
              onClick={() => void again()}
            >
              Again
            </button>
          )}
        </div>
      </div>
      {state === "running" || state === "queued" ? (
        <TransferBar
          label={`${name}, how far it is`}
          bytes={progress?.done ?? 0}
          totalBytes={state === "queued" ? 1 : (progress?.total ?? null)}
          status={state}
        />
      ) : null}
      <p className="transfer-line" data-status={state} data-testid="job-line">
        {jobWords(job)}
      </p>
      {error === null ? null : (
        <p role="alert" className="notice notice-danger">
          {error.message}
        </p>
      )}
      <details className="job-log" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>Log</summary>
        {isOpen ? <Log lines={logs} droppedCount={droppedLogCount} /> : null}
      </details>
      <div role="status" className="visually-hidden">
        {announcement}
      </div>
    </li>
  );
}

function Log({ lines, droppedCount }: { readonly lines: readonly JobLogLine[]; readonly droppedCount: number }) {
  if (lines.length === 0) return <p className="transfer-line">Nothing yet.</p>;
  const text = lines.map(lineOf).join("\n");
  return (
    <pre className="job-lines" data-testid="job-lines" tabIndex={0}>
      {droppedCount === 0 ? text : `(${droppedCount} earlier lines are not shown)\n${text}`}
    </pre>
  );
}
