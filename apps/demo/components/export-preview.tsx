// The first rows of what would be exported, shown as they arrive; the request is given up once they are there.

"use client";

import { type ReactElement, useEffect, useState } from "react";
import { readNdjson } from "tailrace/wire";
import { type ExportInput, tableOf } from "../lib/export-input.ts";
import type { TableName } from "../lib/sample/tables.ts";
import { searchOf } from "./export-form.tsx";

const SHOWN_ROWS = 8;

type Row = Readonly<Record<string, unknown>>;

interface Shown {
  readonly table: TableName;
  readonly rows: readonly Row[];
  readonly problem: string;
  /** No more rows will come. */
  readonly isWhole: boolean;
}

export function ExportPreview({ input }: { readonly input: ExportInput }): ReactElement {
  const { table, filter } = input;
  const rowCount = Math.min(SHOWN_ROWS, input.rows);
  const nothing: Shown = { table, rows: [], problem: "", isWhole: false };
  const [last, show] = useState(nothing);
  // Until others come, the rows of another filter may stay, but not those of another table under this one's columns.
  const shown = last.table === table ? last : nothing;
  const search = searchOf({ format: "ndjson", table, rows: rowCount, filter });
  useEffect(() => {
    const life = new AbortController();
    void preview(search, life.signal, (next) => {
      if (!life.signal.aborted) show({ table, ...next });
    });
    return () => life.abort();
  }, [search, table]);

  const { columns } = tableOf(table);
  return (
    <section aria-labelledby="export-preview">
      <h2 id="export-preview">The first rows</h2>
      <div role="alert">{shown.problem === "" ? null : <p className="notice notice-danger">{shown.problem}</p>}</div>
      {/* Scrolled by the keyboard too. */}
      <div
        className="export-table"
        tabIndex={0}
        role="region"
        aria-label="Table of the first rows"
        data-testid="preview"
      >
        <table>
          <thead>
            <tr>
              {columns.map(({ name, type }) => (
                <th key={name} scope="col" data-type={type}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.rows.map((row) => (
              <tr key={String(row["id"])}>
                {columns.map(({ name, type }) => (
                  <td key={name} data-type={type}>
                    {cellOf(row[name])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {shown.rows.length > 0 || shown.problem !== "" ? null : (
          <p className="transfer-line export-none">{shown.isWhole ? "No rows." : "Waiting for the rows…"}</p>
        )}
      </div>
    </section>
  );
}

async function preview(search: string, signal: AbortSignal, show: (shown: Omit<Shown, "table">) => void) {
  let rows: readonly Row[] = [];
  try {
    const response = await fetch(`/api/export?${search}`, { signal }).catch((error: unknown) => {
      throw new Error("The server could not be reached.", { cause: error });
    });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    for await (const batch of readNdjson<Row>(response, { signal }).batches()) {
      rows = [...rows, ...batch];
      show({ rows, problem: "", isWhole: false });
    }
    show({ rows, problem: "", isWhole: true });
  } catch (error) {
    show({ rows, problem: error instanceof Error ? error.message : String(error), isWhole: true });
  }
}

function cellOf(value: unknown): ReactElement | string {
  if (value === null) return <span className="export-null">null</span>;
  return typeof value === "string" ? value : JSON.stringify(value);
}
