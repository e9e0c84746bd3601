// Small things that the tests of this room share. No door reaches it.

import { isTailraceError } from "../errors.ts";
import type { JobContext } from "./job-kind.ts";
import type { Jobs } from "./jobs.ts";

/** The code of what a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isTailraceError(error) ? error.code : String(error);
}

export async function endOf(jobs: Jobs, id: string): Promise<string | undefined> {
  return (await jobs.follow(id).ended(AbortSignal.timeout(100_000)))?.reason;
}

/** Waits until the job has begun, or was queued. */
export async function untilState(jobs: Jobs, id: string, state: string): Promise<void> {
  for await (const item of jobs.follow(id)) if (item.type === "state" && item.state === state) return;
}

/** A task that runs until it is told to go on. */
export interface Gate {
  readonly task: (context: JobContext) => Promise<string>;
  readonly open: () => void;
  readonly signals: AbortSignal[];
}

export function gate(): Gate {
  const waiting: (() => void)[] = [];
  const signals: AbortSignal[] = [];
  let isOpen = false;
  return {
    signals,
    task: async ({ signal }) => {
      signals.push(signal);
      if (!isOpen) await new Promise<void>((resolve) => waiting.push(resolve));
      return "through";
    },
    open() {
      isOpen = true;
      for (const go of waiting.splice(0)) go();
    },
  };
}
