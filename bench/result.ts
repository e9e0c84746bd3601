// What a benchmark returns, and how it is printed: one shape for all of them, so that one runner can call any.

/** A figure measured over several rounds. */
export interface BenchCell {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One benchmark: rows are cases, cells are the contestants, ratios compare two of them. */
export interface BenchResult {
  readonly name: string;
  /** The unit of every cell, such as `MB/s`. */
  readonly unit: string;
  readonly rows: readonly {
    readonly row: string;
    readonly cells: Readonly<Record<string, BenchCell>>;
    readonly ratios: Readonly<Record<string, number>>;
  }[];
}

/** The median, least and greatest of the rounds of one cell. Throws `RangeError` when there is none. */
export function summarize(rounds: readonly number[]): BenchCell {
  const sorted = rounds.toSorted((a, b) => a - b);
  const min = sorted.at(0);
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) throw new RangeError("No round was measured.");
  const upper = sorted[Math.floor(sorted.length / 2)] ?? max;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? min;
  return { median: (lower + upper) / 2, min, max };
}

/** The result as an aligned table: the median of each cell with its least and greatest round, then the ratios. */
export function formatResult(result: BenchResult): string {
  const cellNames = [...new Set(result.rows.flatMap((row) => Object.keys(row.cells)))];
  const ratioNames = [...new Set(result.rows.flatMap((row) => Object.keys(row.ratios)))];
  const lines = [
    ["", ...cellNames, ...ratioNames],
    ...result.rows.map((row) => [
      row.row,
      ...cellNames.map((name) => formatCell(row.cells[name])),
      ...ratioNames.map((name) => formatRatio(row.ratios[name])),
    ]),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const table = lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return [`${result.name} (${result.unit}: median, min-max)`, ...table].join("\n");
}

/** Prints {@link formatResult}. */
export function printResult(result: BenchResult): void {
  console.log(formatResult(result));
}

function formatCell(cell: BenchCell | undefined): string {
  if (cell === undefined) return "-";
  return `${formatNumber(cell.median)} (${formatNumber(cell.min)}-${formatNumber(cell.max)})`;
}

function formatRatio(ratio: number | undefined): string {
  return ratio === undefined ? "-" : `x${ratio.toFixed(2)}`;
}

function formatNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
