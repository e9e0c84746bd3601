// Writers at work, some of which are killed after so many lines.

import { WriterProcess } from "./children.ts";
import type { Oracle } from "./oracle.ts";
import { writerOver, type Effort, type Plan } from "./plan.ts";
import type { StoreSpec } from "./stores.ts";

/** How many lines a burst of one writer has, about. */
const LINES_PER_BURST = 20;
const MAX_LINES_BEFORE = 150;

/**
 * Runs the writers of `plan` until all are gone. At a line that the seed gives, one is killed, or all, or what `atThatLine` does
 * is done instead; it is given a function that kills all. `someLinesBefore` is called at an earlier line. Writers that have
 * done all before that line are none to kill, but what is to be done then is done all the same.
 *
 * @returns how many were killed
 */
export async function killSome(
  plan: Plan,
  spec: StoreSpec,
  oracle: Oracle,
  effort: Effort,
  atThatLine?: (killAll: () => void) => Promise<void>,
  someLinesBefore?: () => void,
): Promise<number> {
  const { random } = plan;
  const killAt = random.int(3, LINES_PER_BURST * effort.burstCount * effort.writerCount);
  const beforeAt = Math.max(1, killAt - random.int(1, MAX_LINES_BEFORE));
  const killsAll = random.chance(0.6);
  let lines = 0;
  let fault: unknown;
  let isDone: Promise<void> | undefined;
  const children: WriterProcess[] = plan.writers.map(
    (writer) =>
      new WriterProcess(writerOver(writer, spec), (line) => {
        try {
          oracle.take(writer.id, line);
        } catch (error) {
          fault ??= error;
        }
        if (++lines === beforeAt) someLinesBefore?.();
        if (lines !== killAt) return;
        if (atThatLine !== undefined) isDone = atThatLine(killAll);
        else if (killsAll) killAll();
        else children[0]!.kill();
      }),
  );
  const killAll = (): void => {
    for (const child of children) child.kill();
  };
  await Promise.all(children.map(({ gone }) => gone));
  await (isDone ?? atThatLine?.(killAll));
  if (fault !== undefined) throw fault;
  return children.filter(({ wasKilled }) => wasKilled).length;
}
