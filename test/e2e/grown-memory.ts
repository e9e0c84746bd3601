// By how much something makes a server's memory grow, and not its age or what else the machine is busy with.

import type { Demo } from "./demo.ts";
import { residentBytes } from "./process-state.ts";

const MAX_SERVERS = 3;

export interface Growth {
  /** Done before, so that routes are loaded and a young heap has its size. */
  readonly warm: () => Promise<void>;
  /** What is looked at; it calls `look` whenever the memory may be at its height. */
  readonly work: (look: () => void) => Promise<void>;
}

/**
 * The most bytes that the work has added to the first instance's memory, on a server that was begun anew if that was `most` or more, up to
 * three of them: when a heap is swept is V8's own affair, and what is held whole is held by each of them.
 */
export async function grownBytes(demo: Demo, most: number, { warm, work }: Growth): Promise<number> {
  let least = Infinity;
  for (let servers = 1; ; servers++) {
    await warm();
    const before = residentBytes(demo.pid);
    let grown = 0;
    await work(() => {
      grown = Math.max(grown, residentBytes(demo.pid) - before);
    });
    least = Math.min(least, grown);
    if (least < most || servers === MAX_SERVERS) return least;
    await demo.end("SIGKILL");
    await demo.start();
  }
}
