// Table, rows, format: what an export takes, and the two ways to get it.

"use client";

import { type ReactElement, useId } from "react";
import { type ExportInput, FORMATS, tableOf } from "../lib/export-input.ts";
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
  return (
    <form
      className="publish"
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
            onInput({ format: input.format, table: chosen.name, rows: Math.min(input.rows, chosen.rowCount) });
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
          value={input.rows}
          onChange={({ target }) => {
            const rows = Math.floor(target.valueAsNumber);
            if (rows >= 0) onInput({ ...input, rows: Math.min(rows, table.rowCount) });
          }}
        />
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
            {format === "csv" ? "CSV" : "NDJSON"}
          </label>
        ))}
      </fieldset>
      <div className="publish-foot">
        <a className="button button-primary" data-testid="download" href={`/api/export?${searchOf(input)}`} download>
          Download
        </a>
        <button type="submit" className="button" data-testid="make" disabled={isBusy}>
          {isBusy ? "Starting…" : "Make a file here"}
        </button>
      </div>
    </form>
  );
}

/** The input as a query. */
export function searchOf({ format, table, rows, filter }: ExportInput): string {
  const search = new URLSearchParams({ format, table, rows: String(rows) });
  if (filter !== undefined) search.set("filter", filter);
  return search.toString();
}
