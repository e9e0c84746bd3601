// The look at a store after a crash: opened as a new process would open it.

import { DatabaseSync } from "node:sqlite";
import { examine, type Examination } from "./examine.ts";
import type { Tally } from "./oracle.ts";
import { Violation } from "./rules.ts";
import { aheadAfter } from "./plan.ts";
import { openStore, type StoreSpec } from "./stores.ts";

/** Opens the store at `spec` after crash number `crash`, checks it and goes on in it. @throws {Violation} */
export async function look(spec: StoreSpec, crash: number, examination: Examination): Promise<Tally> {
  const opened = openStore(spec, () => aheadAfter(crash - 1));
  const ahead = openStore(spec, () => aheadAfter(crash));
  try {
    await opened.store.open();
    if (spec.kind === "sqlite") checkIntegrity(spec.path);
    return await examine(opened.store, ahead.store, examination);
  } finally {
    await ahead.close();
    await opened.close();
  }
}

function checkIntegrity(path: string): void {
  const database = new DatabaseSync(path);
  try {
    const found = database.prepare("PRAGMA integrity_check").all();
    const isOk = found.length === 1 && found[0]!["integrity_check"] === "ok";
    if (!isOk) throw new Violation(`the file is damaged: ${JSON.stringify(found)}`);
  } finally {
    database.close();
  }
}
