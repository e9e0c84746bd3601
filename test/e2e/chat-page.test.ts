// What the chat page shows and says while an answer comes: its marks, its folded parts, its pill, its one status line.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { ChatPageModel } from "./chat-page-model.ts";
import { Demo } from "./demo.ts";

/** Long enough for a slow machine; what is waited for is seen at once. */
const SOON = { timeout: 90_000 };

let model: ChatPageModel;
let demo: Demo;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  model = await ChatPageModel.start();
  [demo, browser] = await Promise.all([Demo.start({ OPENAI_BASE_URL: model.url }), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
  model.close();
});
afterEach(async () => context?.close());

/** The page, with all that its live regions say from now on in `window.heard`. */
async function open(): Promise<Page> {
  context = await browser.newContext({ viewport: { width: 390, height: 700 } });
  const page = await context.newPage();
  await page.goto(`${demo.url}/chat`);
  await page.getByTestId("composer").waitFor();
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const listen = (region: Element): void => {
      new MutationObserver(() => {
        const words = region.textContent.trim();
        if (words !== "" && heard.at(-1) !== words) heard.push(words);
      }).observe(region, { childList: true, subtree: true, characterData: true });
    };
    for (const region of document.querySelectorAll("main [role=status], main [role=alert], main [aria-live]"))
      listen(region);
  });
  return page;
}

const heard = (page: Page): Promise<string[]> => page.evaluate(() => (window as unknown as { heard: string[] }).heard);

async function ask(page: Page, text: string, end = "completed"): Promise<void> {
  const count = await page.locator(`[data-role=assistant]`).count();
  await page.getByTestId("composer").fill(text);
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("[data-role=assistant]").nth(count).getAttribute("data-end"), SOON).toBe(end);
}

describe("/chat as it is shown", () => {
  test("an answer's marks become elements with names and roles, and its code is copied as it was written", async () => {
    const page = await open();
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await ask(page, "think");
    const last = page.locator("[data-role=assistant]").last();
    const seen = await last.ariaSnapshot();
    for (const line of [
      'article "Answer"',
      'heading "A title" [level=2]',
      "strong: bold",
      'link "a link"',
      'button "Copy code"',
      'columnheader "a"',
      'cell "2"',
      "listitem:",
    ]) {
      expect(seen).toContain(line);
    }
    expect(await last.locator(".code-keyword").first().textContent()).toBe("const");
    await last.getByRole("button", { name: "Copy code" }).click();
    await expect.poll(() => heard(page), SOON).toContain("Code copied");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("const a = 1; // one\nb();");
    expect(await last.locator(".message-note").textContent()).toMatch(/^First word after \d+\.\d s/);
  });

  test("reasoning is folded, opens with the keyboard, and is shown only then", async () => {
    const page = await open();
    await ask(page, "think");
    const folded = page.locator("details", { hasText: "Reasoning" });
    expect(await folded.locator("strong").count()).toBe(0);
    await folded.locator("summary").focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => folded.locator("strong").textContent(), SOON).toBe("see");
  });

  test("the live regions tell of a whole answer, an error and a stop with a start and an end each, and of no word", async () => {
    const page = await open();
    const says = (words: RegExp): Promise<void> =>
      expect.poll(async () => (await heard(page)).at(-1), SOON).toMatch(words);
    // Each waits once it has begun: what begins and ends at once need not be told of twice.
    for (const [question, end] of [
      ["hold", /^Answer finished/],
      ["hold, then fail", /^Answer failed/],
    ] as const) {
      await page.getByTestId("composer").fill(question);
      await page.keyboard.press("Enter");
      await says(/^Answer started/);
      await model.release();
      await says(end);
    }
    await page.getByTestId("composer").fill("hold");
    await page.keyboard.press("Enter");
    await says(/^Answer started/);
    await page.getByTestId("stop").click();
    await says(/^Answer stopped/);
    const said = (await heard(page)).map((words) => words.split(/[ :.]/).slice(0, 2).join(" "));
    expect(said).toEqual(["finished", "failed", "stopped"].flatMap((end) => ["Answer started", `Answer ${end}`]));
    expect((await heard(page)).join(" ")).not.toMatch(/bold|title/);
    expect(await page.locator("main [role=status]").count()).toBe(1);
    expect(await page.locator(".chat-scroll [aria-live], .chat-scroll [role=log]").count()).toBe(0);
  });

  test("a reader who scrolls up is left alone, and is offered the way back", async () => {
    const page = await open();
    const scroller = page.locator(".chat-scroll");
    const top = (): Promise<number> => scroller.evaluate((element) => element.scrollTop);
    await page.getByTestId("composer").fill("long");
    await page.keyboard.press("Enter");
    await expect.poll(top, SOON).toBeGreaterThan(200);
    await scroller.hover();
    await page.mouse.wheel(0, -150);
    const pill = page.locator(".chat-latest");
    await pill.waitFor();
    const held = await top();
    await expect
      .poll(() => page.locator("[data-role=assistant]").last().getAttribute("data-end"), SOON)
      .toBe("completed");
    expect(await top()).toBeLessThanOrEqual(held);
    await pill.click();
    await expect.poll(() => pill.count(), SOON).toBe(0);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
  });
});
