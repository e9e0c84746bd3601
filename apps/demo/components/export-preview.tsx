// The first rows of what would be exported, shown as they arrive; the request is given up once they are there.

"use client";

import { type ReactElement, useEffect, useState } from "react";
import { readNdjson } from "tailrace/wire";
import { type ExportInput, tableOf } from "../lib/export-input.ts";
import { searchOf } from "./export-form.tsx";

const SHOWN_ROWS = 8;

type Row = Readonly<Record<string, unknown>>;

export function ExportPreview({ input }: { readonly input: ExportInput }): ReactElement {
  const { table: name, filter } = input;
  const rowCount = Math.min(SHOWN_ROWS, input.rows);
  const [shown, setShown] = useState<{ readonly rows: readonly Row[]; readonly problem: string }>({
    rows: [],
    problem: "",
  });
  const search = searchOf({ format: "ndjson", table: name, rows: rowCount, filter });
  useEffect(() => {
    const life = new AbortController();
    void preview(search, life.signal, (rows, problem) => {
      if (!life.signal.aborted) setShown({ rows, problem });
    });
    return () => life.abort();
  }, [search]);

  const { columns } = tableOf(name);
  return (
    <section aria-labelledby="export-preview">
      <h2 id="export-preview">The first rows</h2>
      <div role="alert">{shown.problem === "" ? null : <p className="notice notice-danger">{shown.problem}</p>}</div>
      {/* Scrolled by the keyboard too. */}
      <div className="export-table" tabIndex={0} role="region" aria-labelledby="export-preview" data-testid="preview">
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name} scope="col">
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.rows.map((row) => (
              <tr key={String(row["id"])}>
                {columns.map((column) => (
                  <td key={column.name}>{cellOf(row[column.name])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

async function preview(
  search: string,
  signal: AbortSignal,
  show: (rows: readonly Row[], problem: string) => void,
): Promise<void> {
  let rows: readonly Row[] = [];
  try {
    const response = await fetch(`/api/export?${search}`, { signal });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    for await (const batch of readNdjson<Row>(response, { signal }).batches()) {
      rows = [...rows, ...batch];
      show(rows, "");
    }
    if (rows.length === 0) show([], "");
  } catch (error) {
    if (!signal.aborted) show(rows, error instanceof Error ? error.message : String(error));
  }
}

function cellOf(value: unknown): ReactElement | string {
  if (value === null) return <span className="export-null">null</span>;
  return typeof value === "string" ? value : JSON.stringify(value);
}
