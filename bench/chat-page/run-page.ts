// Opens one page in Chromium, lets an answer arrive, and reads what that cost: script time, layout, frames, commits.

import type { Browser, CDPSession } from "playwright-core";

export interface PageFigures {
  /** Seconds of the page's main thread, from the first token to the last. */
  readonly scriptS: number;
  readonly taskS: number;
  readonly layoutS: number;
  readonly styleS: number;
  /** Milliseconds between frames. */
  readonly frameP50Ms: number;
  readonly frameP95Ms: number;
  readonly frameMaxMs: number;
  readonly longTaskCount: number;
  readonly longTaskMaxMs: number;
  /** Of the frames in which anything was committed. */
  readonly commitsPerFrame: number;
  /** Milliseconds of script per token, in the first and the last tenth of the answer. */
  readonly firstMsPerToken: number;
  readonly lastMsPerToken: number;
}

interface Options {
  readonly tokenCount: number;
  /** How many times slower than this machine the page's processor is. */
  readonly slowDown: number;
  readonly timeoutMs: number;
}

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

async function metrics(session: CDPSession): Promise<Map<string, number>> {
  const { metrics: list } = await session.send("Performance.getMetrics");
  return new Map(list.map(({ name, value }) => [name, value]));
}

export async function runPage(browser: Browser, url: string, options: Options): Promise<PageFigures> {
  const { tokenCount, slowDown, timeoutMs } = options;
  const page = await browser.newPage({ viewport: { width: 1_000, height: 800 } });
  try {
    page.on("pageerror", (error) => console.error(error));
    const session = await page.context().newCDPSession(page);
    await page.goto(url);
    await page.waitForFunction(() => document.body.dataset["status"] === "ready");
    await page.waitForTimeout(500); // the history is laid out
    await session.send("Performance.enable", { timeDomain: "timeTicks" });
    await session.send("Emulation.setCPUThrottlingRate", { rate: slowDown });
    const chars = async (): Promise<number> =>
      page.evaluate(() => [...document.querySelectorAll("article")].at(-1)?.textContent.length ?? 0);
    await page.evaluate(() => {
      window.probe.frames.length = 0;
      window.probe.commits = 0;
      window.probe.commitFrames = 0;
      window.probe.longTasksMs.length = 0;
      window.start();
    });
    const before = await metrics(session);
    const until = performance.now() + timeoutMs;
    // Script time against the length of the answer, looked at four times a second.
    const samples: { readonly chars: number; readonly scriptS: number }[] = [];
    for (;;) {
      await page.waitForTimeout(250);
      samples.push({ chars: await chars(), scriptS: (await metrics(session)).get("ScriptDuration") ?? 0 });
      if ((await page.evaluate(() => document.body.dataset["status"])) === "ready") break;
      if (performance.now() > until) throw new Error(`${url} was not done in ${timeoutMs} ms`);
    }
    const after = await metrics(session);
    const probe = await page.evaluate(() => window.probe);
    const delta = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    const frames = probe.frames.toSorted((a, b) => a - b);
    const whole = samples.at(-1)?.chars ?? 1;
    const part = (from: number, to: number): number => {
      const inside = samples.filter((sample) => sample.chars >= whole * from && sample.chars <= whole * to);
      const [first, last] = [inside.at(0), inside.at(-1)];
      if (first === undefined || last === undefined || last.chars === first.chars) return Number.NaN;
      return ((last.scriptS - first.scriptS) * 1_000) / (((last.chars - first.chars) / whole) * tokenCount);
    };
    return {
      scriptS: delta("ScriptDuration"),
      taskS: delta("TaskDuration"),
      layoutS: delta("LayoutDuration"),
      styleS: delta("RecalcStyleDuration"),
      frameP50Ms: quantile(frames, 0.5),
      frameP95Ms: quantile(frames, 0.95),
      frameMaxMs: frames.at(-1) ?? 0,
      longTaskCount: probe.longTasksMs.length,
      longTaskMaxMs: Math.max(0, ...probe.longTasksMs),
      commitsPerFrame: probe.commits / Math.max(1, probe.commitFrames),
      firstMsPerToken: part(0.005, 0.105),
      lastMsPerToken: part(0.895, 0.995),
    };
  } finally {
    await page.close();
  }
}
