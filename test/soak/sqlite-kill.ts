// SQLite: writers in several processes are killed in the middle of their work.

import { join } from "node:path";
import { killSome } from "./kill.ts";
import { look } from "./look.ts";
import { Oracle } from "./oracle.ts";
import type { Content } from "./rules.ts";
import { aheadAfter, planFor, prepare } from "./plan.ts";
import type { Setting } from "./setting.ts";
import { openStore, type StoreSpec } from "./stores.ts";
import { Witness } from "./witness.ts";

const EFFORT = { writerCount: 3, burstCount: 25, canDie: true };

export const sqliteKill: Setting = {
  name: "sqlite, process, SIGKILL",
  async *crashes({ seed, count, folder }) {
    const path = join(folder, "streams.db");
    const spec: StoreSpec = { kind: "sqlite", path, durability: "process" };
    const oracle = new Oracle();
    for (let crash = 1; crash <= count; crash++) {
      const plan = planFor(seed, crash, oracle, EFFORT);
      const { random } = plan;
      const opened = openStore(spec, () => aheadAfter(crash - 1));
      await prepare(opened.store, plan, oracle);
      await opened.close();
      const witness = random.chance(0.5)
        ? new Witness(`witness${crash}`, spec, aheadAfter(crash - 1), oracle)
        : undefined;
      for (const name of [...plan.streams, ...plan.shortStreams]) witness?.follow(name);
      try {
        const killed = await killSome(plan, spec, oracle, EFFORT);
        const { lanes } = plan;
        const beforeCompare = witness && ((contents: ReadonlyMap<string, Content>) => witness.sees(contents));
        const tally = await look(spec, crash, { id: `after${crash}`, oracle, loss: "nothing", lanes, beforeCompare });
        yield { tally, note: `${killed} of ${plan.writers.length} writers killed` };
      } finally {
        await witness?.close();
      }
    }
  },
};
