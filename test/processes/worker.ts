// A process over a store of its own object: started by the tests, told what to do by messages.

import { createStreams } from "../../src/index.ts";
import { sqliteStore } from "../../src/sqlite.ts";

/** A run that begins below `from` goes no further than `at` until it is aborted: it is certain to be cut before its end. */
export interface Hold {
  readonly from: number;
  readonly at: number;
}

/** What the test asks for. */
export type Order =
  | {
      readonly do: "run";
      readonly name: string;
      readonly everyMs: number;
      readonly count?: number | undefined;
      readonly carryOn?: string | undefined;
      readonly hold?: Hold | undefined;
    }
  | {
      readonly do: "carry on";
      readonly kind: string;
      readonly everyMs: number;
      readonly count: number;
      readonly hold?: Hold | undefined;
    }
  | { readonly do: "follow"; readonly name: string }
  | { readonly do: "append"; readonly name: string; readonly everyMs: number; readonly count: number }
  | { readonly do: "stop"; readonly name: string }
  /** To be answered at once. */
  | { readonly do: "ping"; readonly at: number };

/** What the worker tells. Times are of the machine's monotonic clock, which its processes share. */
export type Report =
  | { readonly is: "ready" }
  | { readonly is: "carried"; readonly name: string; readonly from: number }
  | { readonly is: "started"; readonly name: string; readonly started: boolean }
  | {
      readonly is: "item";
      readonly name: string;
      readonly value: { readonly n: number; readonly sentAt: number };
      readonly seenAt: number;
    }
  | { readonly is: "end"; readonly name: string; readonly reason: string }
  | { readonly is: "aborted"; readonly name: string; readonly at: number }
  | { readonly is: "state"; readonly state: string }
  | { readonly is: "pong"; readonly at: number };

const [path, leaseMs] = process.argv.slice(2);
const streams = createStreams({ store: sqliteStore(path!), leaseMs: Number(leaseMs) });
const tell = (report: Report): void => void process.send!(report);
const now = (): number => performance.timeOrigin + performance.now();
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function* numbers(
  from: number,
  order: { readonly everyMs: number; readonly count?: number | undefined; readonly hold?: Hold | undefined },
  name: string,
  signal: AbortSignal,
): AsyncGenerator<{ n: number; sentAt: number }> {
  const { everyMs, count = Infinity, hold } = order;
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => {
      tell({ is: "aborted", name, at: now() });
      resolve();
    }),
  );
  for (let n = from; n < count; n++) {
    if (hold !== undefined && from < hold.from && n >= hold.at) await aborted;
    yield { n, sentAt: now() };
    await sleep(everyMs);
  }
}

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case "run": {
      const { name, carryOn } = order;
      const run = await streams.run(name, ({ signal }) => numbers(0, order, name, signal), { carryOn });
      tell({ is: "started", name: order.name, started: run.started });
      const end = await run.ended();
      tell({ is: "end", name: order.name, reason: end?.reason ?? "closed" });
      return;
    }
    case "carry on": {
      streams.onInterrupted(order.kind, async (run) => {
        const { entries } = await run.read<{ n: number }>({ last: 1 });
        const from = (entries.at(-1)?.value.n ?? -1) + 1;
        tell({ is: "carried", name: run.name, from });
        return numbers(from, order, run.name, run.signal);
      });
      return;
    }
    case "follow": {
      const pull = (await streams.follow(order.name).open()).pull();
      for (;;) {
        const result = await pull.next();
        if (result.done === true) break;
        if (result.value.kind !== "item") continue;
        const seenAt = now();
        const value = JSON.parse(result.value.item.payload as string) as { n: number; sentAt: number };
        tell({ is: "item", name: order.name, value, seenAt });
      }
      tell({ is: "end", name: order.name, reason: pull.end?.reason ?? "closed" });
      return;
    }
    case "append": {
      for (let n = 0; n < order.count; n++) {
        await streams.append(order.name, [{ n, sentAt: now() }]);
        await sleep(order.everyMs);
      }
      return;
    }
    case "ping":
      return tell({ is: "pong", at: order.at });
    case "stop":
      tell({ is: "state", state: (await streams.stop(order.name)).state });
  }
}

process.on("message", (order: Order) => void obey(order));
process.once("SIGTERM", () => void streams.close().then(() => process.exit(0)));
await streams.open();
tell({ is: "ready" });
