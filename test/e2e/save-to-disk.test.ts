// /files with the File System Access API: a download that is streamed into a file. No picker opens in a headless browser, so
// its answer is a file of the origin's own file system, which is written in the same way.

import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext, Locator, Page, CDPSession } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { Demo } from "./demo.ts";

const NAME = "to save.bin";
const BYTES = randomBytes(12_000_000);

let demo: Demo;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
  await writeFile(join(demo.dataDir, "files", NAME), BYTES);
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
});
beforeEach(async () => {
  context = await browser.newContext({ acceptDownloads: true });
  page = await context.newPage();
});
afterEach(() => context.close());

type Answer = "file" | "dismissed" | "refused" | "missing";

/** Opens the page in a browser whose picker answers so. @returns the row of the file */
async function open(answer: Answer): Promise<Locator> {
  await page.addInitScript((what: string) => {
    const picker = async ({ suggestedName }: { suggestedName: string }): Promise<unknown> => {
      if (what === "dismissed") throw new DOMException("The user aborted a request.", "AbortError");
      if (what === "refused") throw new DOMException("Not here.", "SecurityError");
      return (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
    };
    Object.defineProperty(globalThis, "showSaveFilePicker", { value: what === "missing" ? undefined : picker });
  }, answer);
  await page.goto(`${demo.url}/files`);
  const row = page.locator(`[data-testid="file"][data-name="${NAME}"]`);
  await row.getByTestId("download").waitFor();
  return row;
}

const sessions = new WeakMap<Page, CDPSession>();

/** Holds the network to `bytesPerSecond`; 0 lets it go. */
async function throttle(bytesPerSecond: number): Promise<void> {
  // One session for a page: what another has asked for would stay.
  const session = sessions.get(page) ?? (await context.newCDPSession(page));
  sessions.set(page, session);
  const throughput = bytesPerSecond === 0 ? -1 : bytesPerSecond;
  const conditions = { offline: false, latency: 0, downloadThroughput: throughput, uploadThroughput: throughput };
  await session.send("Network.emulateNetworkConditions", conditions);
}

/** What is in the file that was picked. */
function savedFile(): Promise<{ bytes: number; sha256: string }> {
  return page.evaluate(async (name) => {
    const file = await (await (await navigator.storage.getDirectory()).getFileHandle(name)).getFile();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    return { bytes: file.size, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  }, NAME);
}

const focused = (): Promise<string | null> =>
  page.evaluate(() => document.activeElement?.getAttribute("data-testid") ?? null);

describe("Save to disk", () => {
  test("streams into the file with progress, by the keyboard, is paused and resumed, and every byte arrives", async () => {
    let downloads = 0;
    page.on("download", () => downloads++);
    const ranges: (string | undefined)[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/api/download/")) ranges.push(request.headers()["range"]);
    });
    const row = await open("file");
    await throttle(300_000); // 40 s for the whole
    await row.getByTestId("download").focus();
    await page.keyboard.press("Tab");
    await expect.poll(focused).toBe("save");
    await page.keyboard.press("Enter");
    const progress = row.getByTestId("progress");
    const bytesShown = async (): Promise<number> => Number(await progress.getAttribute("data-bytes"));
    await expect.poll(bytesShown).toBeGreaterThan(300_000);
    await expect.poll(focused).toBe("pause"); // the pressed button has gone
    await page.keyboard.press("Enter");
    await expect.poll(() => progress.getAttribute("data-status")).toBe("paused");
    const paused = await bytesShown();
    expect(paused).toBeLessThan(BYTES.length);
    expect((await savedFile()).bytes).toBe(0); // what is not whole does not show in the file
    await throttle(0);
    await expect.poll(focused).toBe("resume");
    await page.keyboard.press("Enter");
    await expect.poll(() => progress.getAttribute("data-status")).toBe("done");
    expect(await savedFile()).toEqual({
      bytes: BYTES.length,
      sha256: createHash("sha256").update(BYTES).digest("hex"),
    });
    expect(await row.innerText()).toContain(`Saved as ${NAME}`);
    expect(await page.locator('[role="status"]').allInnerTexts()).toContain(`${NAME}: Download finished`);
    expect([downloads, ranges[0], ranges.length]).toEqual([0, "bytes=0-", 2]);
    expect(ranges[1]).toBe(`bytes=${paused}-`); // only what was missing
  });

  test("a cancelled one leaves an empty file, and the focus on the row", async () => {
    const row = await open("file");
    await throttle(500_000);
    await row.getByTestId("save").click();
    await row.getByTestId("cancel").click();
    await row.getByTestId("save").waitFor();
    expect([await focused(), (await savedFile()).bytes]).toEqual(["download", 0]);
  });

  test("may be followed by a download by the browser, and the other way round", async () => {
    const row = await open("file");
    const status = (): Promise<string | null> => row.getByTestId("progress").getAttribute("data-status");
    await row.getByTestId("save").click();
    await expect.poll(status).toBe("done");
    const event = page.waitForEvent("download");
    await row.getByTestId("download").click();
    expect((await event).suggestedFilename()).toBe(NAME);
    await row.getByTestId("save").click();
    await expect.poll(() => row.innerText()).toContain(`Saved as ${NAME}`);
  });

  test("a picker that is dismissed changes nothing, and one that is refused is told", async () => {
    const row = await open("dismissed");
    await row.getByTestId("save").click();
    expect([await row.getByTestId("progress").count(), await row.getByRole("alert").count()]).toEqual([0, 0]);
    await expect.poll(focused).toBe("save");
    await page.close();
    page = await context.newPage();
    const other = await open("refused");
    await other.getByTestId("save").click();
    await expect.poll(() => other.getByRole("alert").innerText()).toContain("Not here.");
  });

  test("is not offered where the browser cannot", async () => {
    const row = await open("missing");
    expect([await row.getByTestId("download").count(), await row.getByTestId("save").count()]).toEqual([1, 0]);
  });
});
