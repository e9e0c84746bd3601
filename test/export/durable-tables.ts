// The exports that the tests cut off: tables made by rule, with what a file that goes on in the middle could stumble over.

import type { DefinedExport, Exports } from "../../src/node/exports.ts";

export interface TableInput {
  readonly rows: number;
}

/** Called before each batch: what it returns is waited for. */
export type OnBatch = (name: string, after: number) => Promise<void> | void;

const BATCH_ROWS = 10;
const TEXTS = [
  'said "so"',
  "two\r\nlines",
  "=1+1",
  "a,b;c",
  " padded ",
  "",
  "naïve 東京 🦉",
  null,
  "\uFEFFmark",
] as const;

function textOf(id: number): string | null {
  return TEXTS[(id * 7) % TEXTS.length] ?? null;
}

interface Row {
  readonly id: number;
  readonly text: string | null;
  readonly amount: number;
}

async function* batches<T>(
  name: string,
  input: TableInput,
  after: number,
  onBatch: OnBatch,
  row: (id: number) => T,
): AsyncGenerator<readonly T[]> {
  for (let from = after + 1; from <= input.rows; from += BATCH_ROWS) {
    await onBatch(name, from - 1);
    const length = Math.min(BATCH_ROWS, input.rows - from + 1);
    yield Array.from({ length }, (_, index) => row(from + index));
  }
}

/** The names of the exports: columns by the first row, one column with null, rows that are arrays, NDJSON with its end record. */
export const NAMES = ["objects", "one", "arrays", "lines"] as const;
export type Name = (typeof NAMES)[number];

export function defineTables(exports: Exports, onBatch: OnBatch): Readonly<Record<Name, DefinedExport<TableInput>>> {
  const total = (input: TableInput): number => input.rows;
  const objectOf = (id: number): Row => ({ id, text: textOf(id), amount: id / 8 });
  return {
    objects: exports.define<TableInput, Row, number>("objects", {
      batches: true,
      carryOnWithinMs: 600_000, // however slow the machine is
      csv: { bom: true },
      total,
      rows: (input, { after = 0 }) => batches("objects", input, after, onBatch, objectOf),
      key: (row) => row.id,
    }),
    one: exports.define<TableInput, Row, { readonly id: number }>("one", {
      batches: true,
      carryOnWithinMs: 600_000, // however slow the machine is
      csv: { columns: ["text"], lineEnd: "\n", delimiter: ";" },
      total,
      rows: (input, { after = { id: 0 } }) => batches("one", input, after.id, onBatch, objectOf),
      key: ({ id }) => ({ id }),
    }),
    arrays: exports.define<TableInput, readonly [number, string | null], number>("arrays", {
      batches: true,
      carryOnWithinMs: 600_000, // however slow the machine is
      csv: { bom: true, quoteAll: true },
      rows: (input, { after = 0 }) => batches("arrays", input, after, onBatch, (id) => [id, textOf(id)] as const),
      key: (row) => row[0],
    }),
    lines: exports.define<TableInput, Row, number>("lines", {
      batches: true,
      carryOnWithinMs: 600_000, // however slow the machine is
      format: "ndjson",
      endRecord: true,
      total,
      rows: (input, { after = 0 }) => batches("lines", input, after, onBatch, objectOf),
      key: (row) => row.id,
    }),
  };
}
