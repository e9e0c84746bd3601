// Files and uploads in a real browser: pause, resume, a reload in the middle, another tab, a video that seeks.

import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext, Page, CDPSession } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hydrated, launch } from "./browser.ts";
import { Demo } from "./demo.ts";

let demo: Demo;
let browser: Browser;
let context: BrowserContext;
let source: string;
const bytes = randomBytes(30_000_000);
const sha256 = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

beforeAll(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
  source = join(demo.dataDir, "to-upload.bin");
  await writeFile(source, bytes);
  await writeFile(join(demo.dataDir, "files", "random.bin"), bytes);
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
});
beforeEach(async () => {
  context = await browser.newContext({ acceptDownloads: true });
});
afterEach(() => context.close());

const sessions = new WeakMap<Page, CDPSession>();

/** Holds the page's network to `bytesPerSecond`, so that there is time to do something half-way; 0 lets it go. */
async function throttle(page: Page, bytesPerSecond: number): Promise<void> {
  // One session for a page: what another has asked for would stay.
  const session = sessions.get(page) ?? (await context.newCDPSession(page));
  sessions.set(page, session);
  await session.send("Network.enable");
  const throughput = bytesPerSecond === 0 ? -1 : bytesPerSecond;
  const conditions = { offline: false, latency: 0, downloadThroughput: throughput, uploadThroughput: throughput };
  await session.send("Network.emulateNetworkConditions", conditions);
}

describe("/upload", () => {
  test("an upload goes on after a reload in the middle, another tab follows it, and every byte arrives", async () => {
    const page = await context.newPage();
    await page.goto(`${demo.url}/upload`);
    await hydrated(page.getByTestId("file-input"));
    await throttle(page, 3_000_000);
    await page.getByTestId("file-input").setInputFiles(source);
    const upload = page.getByTestId("upload").first();
    await expect
      .poll(async () => Number(await upload.getAttribute("data-stored")), { interval: 20 })
      .toBeGreaterThan(0);
    await throttle(page, 50_000); // minutes for the rest
    const other = await context.newPage();
    await other.goto(`${demo.url}/upload`);
    await expect.poll(() => other.getByTestId("followed").first().getAttribute("data-state")).toBe("receiving");
    await page.reload();
    const unfinished = page.getByTestId("unfinished").first();
    await expect.poll(() => unfinished.getAttribute("data-name")).toBe("to-upload.bin");
    // Empty until the server has been asked.
    await expect.poll(async () => Number(await unfinished.getAttribute("data-stored"))).toBeGreaterThan(0);
    await throttle(page, 0);
    await page.getByTestId("file-input").setInputFiles(source);
    await expect.poll(() => page.getByTestId("upload").first().getAttribute("data-status")).toBe("done");
    await expect.poll(() => other.getByTestId("followed").first().getAttribute("data-state")).toBe("complete");
    expect(sha256(await readFile(join(demo.dataDir, "uploads", "to-upload.bin")))).toBe(sha256(bytes));
  });
});

describe("/files", () => {
  test("a download is paused and resumed, and every byte is saved", async () => {
    const page = await context.newPage();
    await page.goto(`${demo.url}/files`);
    const row = page.locator('[data-testid="file"][data-name="random.bin"]').first();
    await row.getByTestId("download").waitFor(); // what the page itself needs is not to share the little that there is
    await throttle(page, 500_000); // a minute for the whole
    await row.getByTestId("download").click();
    const progress = row.getByTestId("progress");
    await expect.poll(async () => Number(await progress.getAttribute("data-bytes"))).toBeGreaterThan(300_000);
    await row.getByTestId("pause").click();
    await expect.poll(() => progress.getAttribute("data-status")).toBe("paused");
    const saved = page.waitForEvent("download");
    await throttle(page, 0);
    await row.getByTestId("resume").click();
    const download = await saved;
    expect(sha256(await readFile(await download.path()))).toBe(sha256(bytes));
  });

  test("a video tells its length and seeks", async () => {
    const page = await context.newPage();
    await page.goto(`${demo.url}/files`);
    const video = page.getByTestId("video");
    const seeked = await video.evaluate(async (element: HTMLVideoElement) => {
      if (element.readyState < 1) await new Promise((resolve) => element.addEventListener("loadedmetadata", resolve));
      element.currentTime = 15;
      await new Promise((resolve) => element.addEventListener("seeked", resolve));
      return { time: element.currentTime, duration: Math.round(element.duration) };
    });
    expect(seeked).toEqual({ time: 15, duration: 20 });
  });

  test("a player that seeks to the middle of 100 MB fetches a small part of it", async () => {
    const name = "long.wav";
    await writeFile(join(demo.dataDir, "videos", name), longSound(100_000_000));
    const page = await context.newPage();
    await page.goto(`${demo.url}/files`);
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    let fetched = 0;
    session.on("Network.dataReceived", ({ dataLength }) => (fetched += dataLength));
    const seeked = await page.evaluate(async (src) => {
      const video = document.createElement("video");
      Object.assign(video, { src, preload: "metadata" });
      document.body.append(video);
      if (video.readyState < 1) await new Promise((resolve) => video.addEventListener("loadedmetadata", resolve));
      const middle = Math.floor(video.duration / 2);
      video.currentTime = middle;
      await new Promise((resolve) => video.addEventListener("seeked", resolve));
      return { isThere: video.currentTime === middle, seconds: Math.round(video.duration) };
    }, `/api/video/${name}`);
    expect(seeked).toEqual({ isThere: true, seconds: 567 });
    expect(fetched).toBeLessThan(20_000_000);
  });
});

/** A sound of `size` bytes: two channels of 16 bits at 44.1 kHz, and silent (RIFF WAVE, format 1). */
function longSound(size: number): Buffer {
  const sound = Buffer.alloc(size);
  sound.write("RIFF", 0);
  sound.writeUInt32LE(size - 8, 4);
  sound.write("WAVEfmt ", 8);
  sound.writeUInt32LE(16, 16);
  sound.writeUInt16LE(1, 20);
  sound.writeUInt16LE(2, 22);
  sound.writeUInt32LE(44_100, 24);
  sound.writeUInt32LE(176_400, 28);
  sound.writeUInt16LE(4, 32);
  sound.writeUInt16LE(16, 34);
  sound.write("data", 36);
  sound.writeUInt32LE(size - 44, 40);
  return sound;
}
