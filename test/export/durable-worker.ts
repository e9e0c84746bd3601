// A process that makes exports over a SQLite file and a folder: started by the tests, told what to do by messages.

import { createJobs, createStreams } from "../../src/index.ts";
import { createExports } from "../../src/node/exports.ts";
import { sqliteStore } from "../../src/sqlite.ts";
import { defineTables, type Name } from "./durable-tables.ts";

/** What the test asks for. */
export interface Order {
  readonly name: Name;
  readonly id: string;
  readonly rows: number;
}

/** What the worker tells. */
export type Report =
  | { readonly is: "ready" }
  | { readonly is: "started"; readonly id: string }
  /** Rows behind that key are asked for next. */
  | { readonly is: "batch"; readonly name: string; readonly after: number };

const [path, folder, leaseMs, everyMs, mostBatches] = process.argv.slice(2);
const tell = (report: Report): void => void process.send?.(report);

const streams = createStreams({ store: sqliteStore(path!), leaseMs: Number(leaseMs) });
await streams.open();
const exports = createExports({ jobs: createJobs({ streams }), folder: folder!, checkpointMs: 5 });
const { promise: signalled, resolve: goOn } = Promise.withResolvers<void>();
let batchCount = 0;
const tables = defineTables(exports, async (name, after) => {
  tell({ is: "batch", name, after });
  if (++batchCount > Number(mostBatches)) await signalled;
  if (Number(everyMs) > 0) await new Promise((resolve) => setTimeout(resolve, Number(everyMs)));
});

process.on("message", ({ name, id, rows }: Order) => {
  void tables[name].start({ rows }, { id }).then(() => tell({ is: "started", id }));
});
process.once("SIGCONT", goOn); // after a SIGSTOP
process.once("SIGTERM", () => {
  goOn();
  exports.close();
  void streams.close().then(() => process.disconnect());
});
tell({ is: "ready" });
