// Chromium, as `npm test` provides it.

import { existsSync } from "node:fs";
import { chromium, type Browser, type Locator } from "playwright-core";

const CANDIDATES = [
  process.env["TAILRACE_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long an element or a page is waited for. Playwright's own 30 s are not enough where all else is slow too. */
const WAIT_MS = 90_000;

export async function launch(): Promise<Browser> {
  const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined)
    throw new Error("There is no Chromium on this machine: install it, or name it in TAILRACE_CHROMIUM.");
  const browser = await chromium.launch({ executablePath, args: FLAGS, timeout: WAIT_MS });
  browser.on("context", (context) => context.setDefaultTimeout(WAIT_MS));
  return browser;
}

/** Waits until React has taken an element over that the server had sent: what is done to it before finds nobody. */
export async function hydrated(locator: Locator): Promise<void> {
  const isHydrated = (element: Element): boolean => Object.keys(element).some((key) => key.startsWith("__reactProps"));
  for (const until = performance.now() + WAIT_MS; !(await locator.evaluate(isHydrated));) {
    if (performance.now() > until)
      throw new Error("React has not taken the element over: has its mark another name now?");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
