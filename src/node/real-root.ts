// The true path of a root folder, remembered for a moment: to resolve it is a trip to the thread pool for each request.

import { realpath } from "node:fs/promises";
import { notFound } from "./disk-file.ts";

/** How long the true path of a root is believed without looking again, in milliseconds. */
export const ROOT_AGE_MS = 1_000;

/** How many roots are remembered. */
export const MAX_ROOTS = 64;

const roots = new Map<string, { readonly real: string; readonly untilMs: number }>();

/** What is remembered of `root`, or undefined when that is nothing or too old. */
export function knownRoot(root: string): string | undefined {
  const known = roots.get(root);
  return known !== undefined && performance.now() < known.untilMs ? known.real : undefined;
}

/**
 * Resolves `root` and remembers it.
 *
 * @throws {TailraceError} `not_found` if there is no such folder
 */
export async function resolveRoot(root: string): Promise<string> {
  let real: string;
  try {
    real = await realpath(root);
  } catch (error) {
    roots.delete(root);
    throw notFound(error);
  }
  if (roots.size >= MAX_ROOTS && !roots.has(root)) roots.clear();
  roots.set(root, { real, untilMs: performance.now() + ROOT_AGE_MS });
  return real;
}
