// Exports by peers, each as its documentation shows it, and the floor: `export-peers.ts csv-stringify|fast-csv|papaparse|floor`.

import type { ServerResponse } from "node:http";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { stringify } from "csv-stringify";
import { format } from "fast-csv";
import Papa from "papaparse";
import { arrays, batches, COLUMNS } from "./export-rows.ts";
import { countIn, serveExport } from "./export-stats.ts";

const FLOOR_CHARS = 65_536;
const BATCH_ROWS = 1_000;

type Export = (count: number, outgoing: ServerResponse) => Promise<void>;

async function write(outgoing: ServerResponse, text: string): Promise<void> {
  if (!outgoing.write(text)) await once(outgoing, "drain");
  // So that the event loop gets its turn.
  else await new Promise((resolve) => setImmediate(resolve));
}

/** The least that quoting takes, by hand: what no library can be faster than by much. */
function cell(value: unknown): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const EXPORTS: Readonly<Record<string, Export>> = {
  "csv-stringify": (count, outgoing) =>
    pipeline(Readable.from(arrays(count)), stringify({ header: true, columns: [...COLUMNS] }), outgoing),
  "fast-csv": (count, outgoing) => pipeline(Readable.from(arrays(count)), format({ headers: [...COLUMNS] }), outgoing),
  async papaparse(count, outgoing) {
    await write(outgoing, `${COLUMNS.join(",")}\r\n`);
    for (const batch of batches(arrays(count), BATCH_ROWS)) await write(outgoing, `${Papa.unparse(batch)}\r\n`);
    outgoing.end();
  },
  async floor(count, outgoing) {
    let text = `${COLUMNS.join(",")}\r\n`;
    for (const row of arrays(count)) {
      text += cell(row[0]);
      for (let at = 1; at < row.length; at++) text += `,${cell(row[at])}`;
      text += "\r\n";
      if (text.length < FLOOR_CHARS) continue;
      await write(outgoing, text);
      text = "";
    }
    outgoing.end(text);
  },
};

const chosen = EXPORTS[process.argv[2] ?? ""];
if (chosen === undefined) throw new Error(`There is no export called "${process.argv[2]}".`);
serveExport((incoming, outgoing) => {
  outgoing.setHeader("content-type", "text/csv; charset=utf-8");
  chosen(countIn(incoming.url), outgoing).catch(() => outgoing.destroy());
});
