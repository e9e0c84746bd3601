// What a page counts while an answer arrives: frames, commits, long tasks. Read by the runner in one piece.

declare global {
  interface Window {
    readonly history0: readonly { id: string; role: "user" | "assistant"; text: string }[];
    start: () => void;
    probe: { frames: number[]; commits: number; commitFrames: number; longTasksMs: number[] };
  }
}

const probe: Window["probe"] = { frames: [], commits: 0, commitFrames: 0, longTasksMs: [] };
window.probe = probe;
let committed = false;
let before = performance.now();
requestAnimationFrame(function next(now: number): void {
  probe.frames.push(now - before);
  before = now;
  if (committed) probe.commitFrames++;
  committed = false;
  requestAnimationFrame(next);
});
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) probe.longTasksMs.push(duration);
}).observe({ type: "longtask" });

// A commit changes the page in one go, and is told of in one go.
new MutationObserver(() => {
  probe.commits++;
  committed = true;
}).observe(document.querySelector("#root")!, { childList: true, subtree: true, characterData: true });

/** What was said before. */
export const history: Window["history0"] = window.history0;
