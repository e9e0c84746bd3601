// SQLite: the power goes while writers in several processes are at work. What they did to the file is recorded, and the file
// is made anew as a disk may hold it that was cut off at some moment.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { look } from "./look.ts";
import { Oracle } from "./oracle.ts";
import type { Loss } from "./rules.ts";
import { aheadAfter, planFor, prepare, writerOver } from "./plan.ts";
import { afterPowerCut, readFiles, writeFiles } from "./power-cut.ts";
import type { Crash, CrashOptions, Setting } from "./setting.ts";
import { openStore, type StoreSpec } from "./stores.ts";
import { hear, record } from "./traced.ts";

const EFFORT = { writerCount: 2, burstCount: 25, canDie: false };
/** One recording is cut at so many moments; the writers go on from the last. */
const CUTS_PER_RECORDING = 4;

/** Cuts the power of a store that is opened with `durability`, and allows it to lose what `loss` says. */
export async function* cutPower(
  durability: "process" | "disk",
  loss: Loss,
  { seed, count, folder }: CrashOptions,
): AsyncGenerator<Crash, void, undefined> {
  const live = join(folder, "live");
  const data = join(live, "data");
  const spec = { kind: "sqlite", path: join(data, "streams.db"), durability } as const satisfies StoreSpec;
  mkdirSync(live, { recursive: true });
  const oracle = new Oracle();
  let done = 0;
  for (let life = 1; done < count; life++) {
    const plan = planFor(seed, life, oracle, EFFORT);
    const { random } = plan;
    const opened = openStore(spec, () => aheadAfter(life - 1));
    await prepare(opened.store, plan, oracle);
    await opened.close();
    const before = readFiles(data);
    const recording = await record(
      live,
      plan.writers.map((writer) => writerOver(writer, spec)),
    );
    const calls = recording.calls.filter(({ path }) => !path.endsWith("-shm"));
    const first = calls[0]!.line;
    const last = calls.at(-1)!.doneLine;
    const cuts = Math.min(CUTS_PER_RECORDING, count - done);
    for (let cut = 1; cut <= cuts; cut++) {
      const cutLine = random.int(first, last + 1);
      const files = afterPowerCut(before, calls, cutLine, "any", random);
      const isLast = cut === cuts;
      const place = isLast ? data : join(folder, "cut");
      rmSync(place, { recursive: true, force: true });
      writeFiles(files, data, place);
      const model = isLast ? oracle : oracle.fork();
      hear(model, recording, cutLine);
      const at = { ...spec, path: join(place, "streams.db") };
      const id = `after${life}.${cut}`;
      const tally = await look(at, life, { id, oracle: model, loss, lanes: plan.lanes });
      yield { tally, note: `cut at call ${cutLine - first} of ${last - first}` };
      done++;
    }
  }
}

export const sqliteDiskPower: Setting = {
  name: "sqlite, disk, power cut",
  crashes: (options) => cutPower("disk", "nothing", options),
};

export const sqliteProcessPower: Setting = {
  name: "sqlite, process, power cut",
  crashes: (options) => cutPower("process", "tail", options),
};
