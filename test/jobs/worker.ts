// A process that runs jobs over a SQLite file: started by the tests, told what to do by messages.

import { createJobs, createStreams } from "../../src/index.ts";
import { sqliteStore } from "../../src/sqlite.ts";

/** What the test asks for. */
export type Order =
  /** This process goes no further than `holdAt`, so that it is certain to be killed before the end. */
  | {
      readonly do: "start";
      readonly kind: string;
      readonly id: string;
      readonly steps: number;
      readonly holdAt?: number | undefined;
    }
  | { readonly do: "cancel"; readonly id: string };

/** What the worker tells. */
export type Report =
  | { readonly is: "ready" }
  | { readonly is: "started"; readonly id: string }
  /** A task has made a step, in this process. */
  | { readonly is: "step"; readonly id: string; readonly step: number }
  | { readonly is: "aborted"; readonly id: string }
  | { readonly is: "state"; readonly state: string };

interface Steps {
  readonly steps: number;
}

const [path, leaseMs, maxRunningCount, everyMs] = process.argv.slice(2);
const tell = (report: Report): void => void process.send!(report);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const holds = new Map<string, number>();

const streams = createStreams({ store: sqliteStore(path!), leaseMs: Number(leaseMs) });
await streams.open();
const jobs = createJobs({ streams, maxRunningCount: Number(maxRunningCount) });

for (const [kind, carriesOn] of [
  ["plain", false],
  ["lasting", true],
] as const) {
  jobs.define<Steps, number>(
    kind,
    async ({ id, input, signal, progress, log, checkpoint, resumed }) => {
      signal.addEventListener("abort", () => tell({ is: "aborted", id }));
      const from = (resumed?.checkpoint as number | undefined) ?? 0;
      for (let step = from + 1; step <= input.steps && !signal.aborted; step++) {
        tell({ is: "step", id, step });
        progress(step, input.steps);
        log(`step ${step}`);
        checkpoint(step);
        if (step === holds.get(id)) await new Promise(() => undefined);
        await sleep(Number(everyMs));
      }
      return input.steps;
    },
    { carriesOn },
  );
}

async function obey(order: Order): Promise<void> {
  if (order.do === "cancel") return tell({ is: "state", state: (await jobs.cancel(order.id)).state });
  if (order.holdAt !== undefined) holds.set(order.id, order.holdAt);
  await jobs.start(order.kind, { steps: order.steps } satisfies Steps, { id: order.id });
  tell({ is: "started", id: order.id });
}

process.on("message", (order: Order) => void obey(order));
tell({ is: "ready" });
