// Table, rows, format: what an export takes, and the two ways to get it.

"use client";

import { type ReactElement, useId, useState } from "react";
import { type ExportInput, type Format, FORMATS, tableOf } from "../lib/export-input.ts";
import { TABLES } from "../lib/sample/tables.ts";

interface FormProps {
  readonly input: ExportInput;
  readonly isBusy: boolean;
  readonly onInput: (input: ExportInput) => void;
  readonly onMake: () => Promise<void>;
}

export function ExportForm({ input, isBusy, onInput, onMake }: FormProps): ReactElement {
  const id = useId();
  const table = tableOf(input.table);
  // What stands in the field, which is no number while somebody types.
  const [rowsText, setRowsText] = useState(String(input.rows));
  const isRowsValid = rowsOf(rowsText, table.rowCount) !== undefined;
  return (
    <form
      className="publish export-form"
      onSubmit={(event) => {
        event.preventDefault();
        void onMake();
      }}
    >
      <div>
        <label htmlFor={`${id}-table`}>Table</label>
        <select
          id={`${id}-table`}
          data-testid="table"
          value={input.table}
          onChange={({ target }) => {
            const chosen = TABLES.find(({ name }) => name === target.value) ?? table;
            const rows = Math.min(input.rows, chosen.rowCount);
            setRowsText(String(rows));
            onInput({ format: input.format, table: chosen.name, rows });
          }}
        >
          {TABLES.map(({ name, rowCount }) => (
            <option key={name} value={name}>
              {name} ({rowCount.toLocaleString("en")} rows)
            </option>
          ))}
        </select>
      </div>
      <div>
        <label htmlFor={`${id}-filter`}>Only where {table.filter.column} is</label>
        <select
          id={`${id}-filter`}
          data-testid="filter"
          value={input.filter ?? ""}
          onChange={({ target }) => onInput({ ...input, filter: target.value === "" ? undefined : target.value })}
        >
          <option value="">anything</option>
          {table.filter.values.map((value) => (
            <option key={value}>{value}</option>
          ))}
        </select>
      </div>
      <div>
        <label htmlFor={`${id}-rows`}>Rows, at most</label>
        <input
          id={`${id}-rows`}
          data-testid="rows"
          type="number"
          min={0}
          max={table.rowCount}
          step={1}
          required
          value={rowsText}
          aria-invalid={!isRowsValid}
          aria-describedby={isRowsValid ? undefined : `${id}-rule`}
          onChange={({ target }) => {
            setRowsText(target.value);
            const rows = rowsOf(target.value, table.rowCount);
            if (rows !== undefined) onInput({ ...input, rows });
          }}
        />
        {isRowsValid ? null : (
          <p id={`${id}-rule`} className="export-rule">
            A whole number from 0 to {table.rowCount.toLocaleString("en")}.
          </p>
        )}
      </div>
      <fieldset className="export-format">
        <legend>Format</legend>
        {FORMATS.map((format) => (
          <label key={format}>
            <input
              type="radio"
              name={`${id}-format`}
              data-testid={`format-${format}`}
              checked={input.format === format}
              onChange={() => onInput({ ...input, format })}
            />
            {formatWords(format)}
          </label>
        ))}
      </fieldset>
      <div className="publish-foot">
        <a
          className="button button-primary"
          data-testid="download"
          // Without an address it is a link that is switched off.
          {...(isRowsValid
            ? { href: `/api/export?${searchOf(input)}`, download: true }
            : { role: "link", "aria-disabled": true })}
        >
          Download
        </a>
        <button type="submit" className="button" data-testid="make" disabled={isBusy}>
          {isBusy ? "Starting…" : "Make a file here"}
        </button>
      </div>
    </form>
  );
}

function rowsOf(text: string, max: number): number | undefined {
  const rows = text === "" ? Number.NaN : Number(text);
  return Number.isSafeInteger(rows) && rows >= 0 && rows <= max ? rows : undefined;
}

export function formatWords(format: Format): string {
  return format === "csv" ? "CSV" : "NDJSON";
}

/** The input as a query. */
export function searchOf({ format, table, rows, filter }: ExportInput): string {
  const search = new URLSearchParams({ format, table, rows: String(rows) });
  if (filter !== undefined) search.set("filter", filter);
  return search.toString();
}
