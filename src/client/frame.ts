// Commits to the screen at most once per animation frame.

import { isPageHidden } from "./wake.ts";

/** How often a hidden page commits: it has no frames, but its title or a test may look. 100 ms. */
const HIDDEN_FRAME_MS = 100;
/** A frame where there is no screen. 16 ms. */
const NO_FRAME_MS = 16;

/** One pending commit at most. */
export interface FrameScheduler {
  /** Asks for a commit on the next frame. */
  schedule(): void;
  /** Commits now if one is pending. */
  flush(): void;
  /** Drops what is pending. */
  cancel(): void;
}

/**
 * Makes a scheduler of `commit`. A hidden page gets no animation frames, so a timer stands in there, and where there is
 * no `requestAnimationFrame` at all.
 */
export function createFrameScheduler(commit: () => void): FrameScheduler {
  let drop: (() => void) | undefined;
  const run = (): void => {
    drop = undefined;
    commit();
  };
  const cancel = (): void => {
    drop?.();
    drop = undefined;
  };
  return {
    schedule() {
      if (drop !== undefined) return;
      const hidden = isPageHidden();
      if (!hidden && typeof requestAnimationFrame === "function") {
        const frame = requestAnimationFrame(run);
        drop = () => cancelAnimationFrame(frame);
        return;
      }
      const timer = setTimeout(run, hidden ? HIDDEN_FRAME_MS : NO_FRAME_MS);
      drop = () => clearTimeout(timer);
    },
    flush() {
      if (drop === undefined) return;
      cancel();
      commit();
    },
    cancel,
  };
}
