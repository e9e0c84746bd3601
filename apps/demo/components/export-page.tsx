// Exports: what to take out of the sample database, the first rows of it as they arrive, and the files that are being made.

"use client";

import { type ReactElement, useState } from "react";
import { useJob } from "tailrace/react";
import { ExportForm } from "./export-form.tsx";
import { ExportPreview } from "./export-preview.tsx";
import { ExportRow, type ListedExport } from "./export-row.tsx";
import type { ExportInput } from "../lib/export-input.ts";
import { usePolled } from "./use-polled.ts";

const LOOK_EVERY_MS = 2_000;
/** Followed at a time: a browser has six connections to a server for all of its tabs. */
const FOLLOWED_COUNT = 2;

export function ExportPage(): ReactElement {
  const [input, setInput] = useState<ExportInput>({ format: "csv", table: "events", rows: 100_000 });
  const { value, problem, refresh } = usePolled<{ readonly exports: readonly ListedExport[] }>(
    "/api/exports",
    LOOK_EVERY_MS,
  );
  const { start, follow, status, error } = useJob({ api: "/api/exports" });
  const make = async (): Promise<void> => {
    const id = await start("sample", input);
    if (id === null) return;
    follow(null);
    refresh();
  };
  const list = value?.exports ?? null;
  const unfinished = (list ?? []).filter(({ end }) => end === undefined).toReversed();
  const followed = new Set(unfinished.slice(0, FOLLOWED_COUNT).map(({ id }) => id));

  return (
    <main className="page">
      <h1>Export</h1>
      <p className="lead">
        Rows go from the database’s cursor to your disk, and nobody holds them in between. Or have a file made here: it
        goes on when you leave, and after a crash from the last row that was kept.
      </p>
      <div className="jobs export">
        <section aria-labelledby="export-what">
          <h2 id="export-what">What to export</h2>
          <ExportForm input={input} isBusy={status === "starting"} onInput={setInput} onMake={make} />
          <div role="alert">{error === null ? null : <p className="notice notice-danger">{error.message}</p>}</div>
        </section>
        <div className="export-side">
          <ExportPreview input={input} />
          <section aria-labelledby="export-files">
            <h2 id="export-files">Files made here</h2>
            {problem === null ? null : <p className="notice notice-danger">{problem}</p>}
            {list === null ? <p className="transfer-line">Waiting for the server…</p> : null}
            {list?.length === 0 ? <p className="transfer-line">None yet. Each is kept for a day.</p> : null}
            <ul className="transfers">
              {(list ?? []).map((listed) => (
                <ExportRow key={listed.id} listed={listed} isFollowed={followed.has(listed.id)} onChange={refresh} />
              ))}
            </ul>
          </section>
        </div>
      </div>
    </main>
  );
}
