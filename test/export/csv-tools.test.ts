// What the encoder writes, other programs read: csv-parse, PapaParse, Python's csv module and the command line of SQLite. And what they
// write, our decoder reads. One process for each program, with all rows.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import Papa from "papaparse";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCsvDecoder } from "../../src/wire/csv-decode.ts";
import { createCsvEncoder, type CsvOptions } from "../../src/wire/csv-encode.ts";

const PYTHON = process.env["TAILRACE_PYTHON"] ?? "python3";
const SQLITE3 = process.env["TAILRACE_SQLITE3"] ?? "sqlite3";
const LIMIT_MS = 120_000;

type Row = readonly (string | null)[];

/** Every two hard pieces next to each other, in the first, a middle and the last cell; and seeded mixtures of all. */
function hostileRows(): readonly Row[] {
  const pieces = [
    '"',
    '""',
    ",",
    ";",
    "\r",
    "\n",
    "\r\n",
    " ",
    "\t",
    "a",
    "'",
    "=1+1",
    "\uFEFF",
    "\u00e9",
    "\u3042",
    "\u{1f600}",
  ];
  pieces.push(
    "\u2028",
    "\\",
    "\\.",
    "#",
    "null",
    "NULL",
    "0",
    "007",
    "1e5",
    "-5",
    "@",
    "\uff1d",
    "--",
    "x".repeat(5_000),
  );
  const rows: Row[] = [];
  for (const one of pieces) for (const two of pieces) rows.push([one + two, `${two}a${one}`, one === two ? null : two]);
  let seed = 7;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const mixture = (): string | null =>
    next(9) === 0 ? null : Array.from({ length: next(6) }, () => pieces[next(pieces.length - 1)]).join("");
  for (let count = 0; count < 2_000; count++) rows.push([mixture(), mixture(), mixture()]);
  rows.push(["", null, ""], [null, null, null], ["", "", ""]);
  return rows;
}

const ROWS = hostileRows();
/** To most programs null and the empty text are one. */
const AS_TEXT: readonly (readonly string[])[] = ROWS.map((row) => row.map((cell) => cell ?? ""));
const NAMES = ["a", 'b "quoted", and\r\nmore', "\u3042"];

const STYLES: readonly CsvOptions<Row>[] = [
  {},
  { lineEnd: "\n" },
  { bom: true, quoteAll: true },
  { bom: true, lineEnd: "\n" },
  { quoteAll: true, lineEnd: "\n" },
];
const DELIMITERS = [",", ";", "\t", "|"];

function write(rows: readonly Row[], options: CsvOptions<Row>): string {
  const encoder = createCsvEncoder<Row>(options);
  return encoder.open() + rows.map((row) => encoder.encode(row)).join("");
}

function read(text: string, nulls: "empty" | "never"): unknown[] {
  const rows: unknown[] = [];
  const decoder = createCsvDecoder({ header: false, nulls, onRow: (row) => rows.push(row) });
  decoder.push(new TextEncoder().encode(text));
  decoder.end();
  return rows;
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tailrace-csv-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function inFolder(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

const cases = STYLES.flatMap((style) => DELIMITERS.map((delimiter) => ({ columns: NAMES, ...style, delimiter })));

describe("createCsvEncoder, read by other programs,", () => {
  test("gives csv-parse the same texts", () => {
    for (const options of cases) {
      const { delimiter } = options;
      expect(
        parse(write(ROWS, options), { bom: true, delimiter, record_delimiter: options.lineEnd ?? "\r\n" }),
      ).toEqual([NAMES, ...AS_TEXT]);
    }
  });

  test("gives csv-parse objects by a hostile header, and null apart from the empty text", () => {
    const text = write(ROWS, { columns: NAMES });
    const records = parse<Record<string, string | null>>(text, {
      columns: true,
      cast: (value, { quoting }) => (value === "" && !quoting ? null : value),
    });
    expect(records.map((record) => Object.values(record))).toEqual(ROWS);
    expect(Object.keys(records[0] ?? {})).toEqual(NAMES);
  });

  test("gives PapaParse the same texts", () => {
    for (const options of cases) {
      const { delimiter, lineEnd: newline = "\r\n" } = options;
      const { data, errors } = Papa.parse<string[]>(write(ROWS, options), { delimiter, newline, skipEmptyLines: true });
      expect(errors).toEqual([]);
      expect(data).toEqual([NAMES, ...AS_TEXT]);
    }
  });

  test("gives Python's csv module the same texts", () => {
    const script = `
import csv, json, sys
tables = []
for name, delimiter in json.load(sys.stdin):
    with open(name, encoding="utf-8-sig", newline="") as file:
        tables.append(list(csv.reader(file, delimiter=delimiter, strict=True)))
print(json.dumps(tables))
`;
    const files = cases.map((options, index) => [inFolder(`${index}.csv`, write(ROWS, options)), options.delimiter]);
    const answer = execFileSync(PYTHON, ["-c", script], {
      input: JSON.stringify(files),
      encoding: "utf8",
      maxBuffer: 2 ** 30,
      timeout: LIMIT_MS,
    });
    const tables = JSON.parse(answer) as unknown[];
    expect(tables).toHaveLength(cases.length);
    for (const table of tables) expect(table).toEqual([NAMES, ...AS_TEXT]);
  });

  test("gives SQLite's .import the same texts", () => {
    // It takes commas only, and no second line end than LF behind an optional CR: all of ours.
    const tables = cases.filter(({ delimiter }) => delimiter === ",").map((options) => write(ROWS, options));
    const script = tables.flatMap((text, index) => [
      `create table t${index} (a text, b text, c text);`,
      `.import --csv --skip 0 ${inFolder(`sqlite-${index}.csv`, text)} t${index}`,
      `select hex(a), hex(b), hex(c) from t${index} order by rowid;`,
      "select '-';",
    ]);
    const input = [".bail on", ".mode list", ".separator |", ...script, ""].join("\n");
    const answer = execFileSync(SQLITE3, ["-batch", "-init", "/dev/null", ":memory:"], {
      input,
      encoding: "utf8",
      maxBuffer: 2 ** 30,
      timeout: LIMIT_MS,
    });
    const hexOf = (cell: string): string => Buffer.from(cell).toString("hex").toUpperCase();
    const expected = [NAMES, ...AS_TEXT].map((row) => row.map(hexOf).join("|"));
    const given = answer.split("-\n").slice(0, -1);
    expect(given).toHaveLength(tables.length);
    for (const table of given) expect(table.trimEnd().split("\n")).toEqual(expected);
  });

  test("gives a table of one column back, its empty rows too", () => {
    const one: readonly Row[] = [["a"], [null], [""], ["\n"], [null]];
    const text = write(one, { columns: ["n"], lineEnd: "\n" });
    const texts = [["n"], ["a"], [""], [""], ["\n"], [""]];
    expect(parse(text, { skip_empty_lines: true })).toEqual(texts);
    expect(Papa.parse(text, { newline: "\n" }).data.slice(0, texts.length)).toEqual(texts);
    expect(read(text, "empty")).toEqual(texts);
    const script = "import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline='')))))";
    const answer = execFileSync(PYTHON, ["-c", script, inFolder("one.csv", text)], {
      encoding: "utf8",
      timeout: LIMIT_MS,
    });
    expect(JSON.parse(answer)).toEqual(texts);
  });
});

describe("createCsvDecoder, on what other programs write,", () => {
  test("reads csv-stringify and PapaParse", () => {
    const rows = AS_TEXT.map((row) => [...row]);
    expect(read(stringify(rows, { quoted: true }), "never")).toEqual(AS_TEXT);
    expect(read(Papa.unparse(rows), "never")).toEqual(AS_TEXT);
    expect(read(Papa.unparse(rows, { quotes: true, newline: "\n" }), "never")).toEqual(AS_TEXT);
  });

  test("reads Python's csv module and SQLite's .mode csv", () => {
    const script = `
import csv, json, sys
rows = json.load(sys.stdin)
sys.stdout.reconfigure(encoding="utf-8", newline="")
for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
    csv.writer(sys.stdout, quoting=quoting).writerows(rows)
`;
    const byPython = execFileSync(PYTHON, ["-c", script], {
      input: JSON.stringify(AS_TEXT),
      encoding: "utf8",
      maxBuffer: 2 ** 30,
      timeout: LIMIT_MS,
    });
    expect(read(byPython, "never")).toEqual([...AS_TEXT, ...AS_TEXT]);

    const hex = (cell: string | null): string =>
      cell === null ? "null" : `cast(x'${Buffer.from(cell).toString("hex")}' as text)`;
    const values = ROWS.map((row, index) => `(${index},${row.map(hex).join()})`).join(",\n");
    const input = `create table t (n, a, b, c);\ninsert into t values ${values};\n.mode csv\nselect a, b, c from t order by n;\n`;
    const bySqlite = execFileSync(SQLITE3, ["-batch", "-init", "/dev/null", ":memory:"], {
      input,
      encoding: "utf8",
      maxBuffer: 2 ** 30,
      timeout: LIMIT_MS,
    });
    expect(read(bySqlite, "empty")).toEqual(ROWS);
  });
});
