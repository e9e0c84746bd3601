// Opens a name below a root, and looks where it led.

import { type BigIntStats, fstatSync } from "node:fs";
import { join, relative } from "node:path";
import { isTailraceError } from "../errors.ts";
import { closeNow, notFound, openDescriptor, type Opened, tagOf } from "./disk-file.ts";
import { realPathOf } from "./real-path.ts";
import { knownRoot, resolveRoot, ROOT_AGE_MS } from "./real-root.ts";
import { isInside } from "./safe-segments.ts";

/** What was opened inside the root. */
export interface OpenedInside extends Opened {
  readonly stat: BigIntStats;
  /** The strong entity tag of what was opened. */
  readonly tag: string;
  readonly realPath: string;
  readonly realRoot: string;
}

/** How many files are remembered to lie inside their root. */
export const MAX_INSIDE = 4_096;

interface Inside {
  readonly tag: string;
  readonly dotfiles: boolean;
  readonly realPath: string;
  readonly realRoot: string;
  readonly untilMs: number;
}

/** By the name that was opened. */
const inside = new Map<string, Inside>();

/**
 * Opens first and looks then where it led, so that nothing can be swapped in between.
 *
 * A small file that is asked for again and again is looked for once a second. In between it is enough that the descriptor shows the same
 * device, inode, size and times as when it was found inside: another file, or this one under another name, shows others.
 *
 * @throws {TailraceError} `not_found` for what leads out or is not there; `store_unavailable`
 */
export async function openInside(root: string, path: string, dotfiles: boolean): Promise<OpenedInside> {
  const opening = openDescriptor(join(root, path));
  const opened = opening instanceof Promise ? await opening : opening;
  try {
    const stat = fstatSync(opened.fd, { bigint: true });
    const tag = tagOf(stat);
    const known = knownRoot(root);
    const seen = opened.isRecent && known !== undefined ? inside.get(opened.path) : undefined;
    if (
      seen?.tag === tag &&
      seen.realRoot === known &&
      seen.dotfiles === dotfiles &&
      performance.now() < seen.untilMs
    ) {
      return { ...opened, stat, tag, realPath: seen.realPath, realRoot: seen.realRoot };
    }
    const finding = realPathOf(opened.fd, opened.path);
    const realPath = typeof finding === "string" ? finding : await finding;
    if (known !== undefined && isInside(relative(known, realPath), dotfiles)) {
      return remembered({ ...opened, stat, tag, realPath, realRoot: known }, dotfiles);
    }
    // A deploy may have pointed the root's name to another folder.
    const realRoot = await resolveRoot(root);
    if (!isInside(relative(realRoot, realPath), dotfiles)) throw notFound();
    return remembered({ ...opened, stat, tag, realPath, realRoot }, dotfiles);
  } catch (error) {
    closeNow(opened.fd);
    if (isTailraceError(error)) throw error;
    throw notFound(error); // gone between opening and looking
  }
}

function remembered(found: OpenedInside, dotfiles: boolean): OpenedInside {
  if (!found.isRecent) return found;
  if (inside.size >= MAX_INSIDE && !inside.has(found.path)) inside.clear();
  const { tag, realPath, realRoot } = found;
  inside.set(found.path, { tag, dotfiles, realPath, realRoot, untilMs: performance.now() + ROOT_AGE_MS });
  return found;
}
