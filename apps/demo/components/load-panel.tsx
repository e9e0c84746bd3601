// The load of the server that answers this page, once a second, with the last minute drawn.

"use client";

import type { ReactElement } from "react";
import { useStream } from "tailrace/react";
import { Sparkline } from "./sparkline.tsx";

/** What `GET /api/load` sends. */
interface Load {
  readonly at: string;
  readonly cpu: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly eventLoopDelayMs: number;
  readonly followers: number;
  readonly runs: number;
}

interface Gauge {
  readonly name: string;
  readonly hint?: string | undefined;
  readonly read: (load: Load) => number;
  readonly format: (value: number) => string;
  /** The scale ends here at least, so that a quiet server looks quiet. */
  readonly scale: number;
}

/** A sample a second: one minute. */
const MAX_SAMPLES_COUNT = 60;

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;
const count = (value: number): string => String(value);

const GAUGES: readonly Gauge[] = [
  {
    name: "Processor",
    hint: "of one core",
    read: ({ cpu }) => cpu,
    format: (share) => `${Math.round(share * 100)} %`,
    scale: 1,
  },
  {
    name: "Event loop delay",
    read: ({ eventLoopDelayMs }) => eventLoopDelayMs,
    format: (ms) => `${ms.toFixed(1)} ms`,
    scale: 20,
  },
  { name: "Memory", hint: "resident", read: ({ rssBytes }) => rssBytes, format: megabytes, scale: 200_000_000 },
  { name: "Heap", hint: "in use", read: ({ heapBytes }) => heapBytes, format: megabytes, scale: 100_000_000 },
  { name: "Streams followed", read: ({ followers }) => followers, format: count, scale: 4 },
  { name: "Runs", hint: "being written", read: ({ runs }) => runs, format: count, scale: 4 },
];

export function LoadPanel(): ReactElement {
  const { items, status } = useStream<Load>("/api/load", { maxItems: MAX_SAMPLES_COUNT });
  return (
    <section className="load" aria-labelledby="load" data-testid="load" data-stale={status !== "open"}>
      <h2 id="load">This server</h2>
      <dl>
        {GAUGES.map(({ name, hint, read, format, scale }) => {
          const values = items.map((load) => read(load));
          const now = values.at(-1);
          return (
            <div key={name} className="gauge">
              <dt>
                {name} {hint === undefined ? null : <span>{hint}</span>}
              </dt>
              <dd>
                {now === undefined ? "–" : format(now)}
                <Sparkline values={values} scale={scale} width={MAX_SAMPLES_COUNT} />
                {values.length < 2 ? null : (
                  <span className="visually-hidden">
                    between {format(Math.min(...values))} and {format(Math.max(...values))} in the last minute
                  </span>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
      <p>
        {status === "open"
          ? "Measured by the server once a second, for as long as somebody looks."
          : "Waiting for the server…"}
      </p>
    </section>
  );
}
