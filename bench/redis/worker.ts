// One process of the Redis benchmark: it writes the runs of one contestant, or reads them; the parent tells it when.

import { CONTESTANTS } from "./contestants.ts";
import { nowUs, parseLine, sourceOf, type Pace } from "./source.ts";

/** `start` and `go` are for the writer, `read` and `finish` for the reader, `cpu` for both: microseconds used so far. */
export type Order =
  | { readonly order: "start"; readonly names: readonly string[]; readonly pace: Pace }
  | { readonly order: "go" }
  | { readonly order: "read"; readonly names: readonly string[] }
  | { readonly order: "finish" }
  | { readonly order: "cpu" };

/** What a reader has seen: every line of every run, in order, or it fails. */
export interface Seen {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Between the first line that was measured and the last. */
  readonly seconds: number;
}

const [kind = "", url = ""] = process.argv.slice(2);
const make = CONTESTANTS[kind];
if (make === undefined) throw new Error(`Nobody is called ${kind}.`);
const contestant = await make(url);

let go: () => void = () => {};
let written: Promise<number> = Promise.resolve(0);
let finished: Promise<Seen> | undefined;

async function start(names: readonly string[], pace: Pace): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const counts = names.map(() => Promise.withResolvers<number>());
  written = Promise.all(counts.map(({ promise }) => promise)).then((all) => all.reduce((sum, count) => sum + count, 0));
  await Promise.all(
    names.map((name, index) =>
      contestant.start(
        name,
        sourceOf(gone, pace, (count) => counts[index]!.resolve(count)),
      ),
    ),
  );
}

/** Resolves when the first line of each run is here. */
async function read(names: readonly string[]): Promise<void> {
  const latencies: number[] = [];
  let firstUs = Number.POSITIVE_INFINITY;
  let lastUs = 0;
  const readOne = async (name: string, onFirst: () => void): Promise<void> => {
    let expected = 0;
    for await (const piece of contestant.read(name)) {
      if (piece === "") continue;
      const atUs = nowUs();
      for (const text of piece.split("\n").slice(0, -1)) {
        const line = parseLine(text);
        if (line.number !== expected) throw new Error(`${name}: line ${line.number} came instead of ${expected}.`);
        if (expected++ === 0) onFirst();
        else {
          latencies.push((atUs % 1e12) - line.atUs);
          firstUs = Math.min(firstUs, line.atUs);
          lastUs = atUs % 1e12;
        }
      }
    }
  };
  const firsts: Promise<void>[] = [];
  const ends: Promise<void>[] = [];
  for (const name of names) {
    const first = Promise.withResolvers<void>();
    firsts.push(first.promise);
    const end = readOne(name, first.resolve);
    end.catch(first.reject);
    ends.push(end);
  }
  finished = Promise.all(ends).then(() => {
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => (latencies[Math.ceil(share * latencies.length) - 1] ?? Number.NaN) / 1_000;
    return { count: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99), seconds: (lastUs - firstUs) / 1e6 };
  });
  finished.catch(() => {}); // told by `finish`
  await Promise.all(firsts);
}

async function obey(message: Order): Promise<unknown> {
  if (message.order === "start") return start(message.names, message.pace);
  if (message.order === "read") return read(message.names);
  if (message.order === "finish") return finished;
  if (message.order === "cpu") {
    const { user, system } = process.cpuUsage();
    return user + system;
  }
  go();
  return written;
}

process.on("message", (message: Order) => {
  if (typeof message !== "object") return; // for the preload
  obey(message).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.send?.({ answer: "ready" });
