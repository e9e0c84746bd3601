// The list of conversations beside the chat: what begins appears, by whomever it was begun, and can be named and deleted.

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
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
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
});
afterEach(async () => context.close());

async function open(path = "/chat"): Promise<Page> {
  const page = await context.newPage();
  await page.goto(demo.url + path);
  await page.getByTestId("composer").waitFor();
  return page;
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByTestId("composer").fill(text);
  await page.keyboard.press("Enter");
}

const completed = (page: Page): Promise<void> =>
  page.locator("[data-role=assistant][data-end=completed]").last().waitFor();
const row = (page: Page, title: string): Locator =>
  page.locator(".chat-side").getByTestId("chat-row").filter({ hasText: title });
const current = (page: Page): Promise<string | null> => page.locator(".chat-side a[aria-current=page]").textContent();
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");

describe("the list of conversations", () => {
  test("a conversation stands in it from its first message on, marked as open, and another tab hears of it", async () => {
    const other = await open();
    const page = await open();
    await ask(page, "hold the first one");
    await expect.poll(() => current(page), SOON).toBe("hold the first one");
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("hold the first one");
    await row(other, "hold the first one").waitFor();
    await model.release();
    await completed(page);
    await page.getByRole("link", { name: "New chat" }).click();
    await expect.poll(() => page.getByTestId("message").count(), SOON).toBe(0);
    await expect
      .poll(() => page.getByTestId("composer").evaluate((each) => each === document.activeElement), SOON)
      .toBe(true);
    await ask(page, "the second one");
    await expect.poll(() => current(page), SOON).toBe("the second one");
    await completed(page);
    await row(page, "hold the first one").getByRole("link").click();
    await expect.poll(() => current(page), SOON).toBe("hold the first one");
    await completed(page);
    expect(await page.getByTestId("message").first().textContent()).toContain("hold the first one");
  });

  test("a title is changed in its place, by the keyboard alone, and Esc leaves it", async () => {
    const page = await open();
    await ask(page, "a title to change");
    await completed(page);
    const options = row(page, "a title to change").getByRole("button", { name: /^Options/ });
    await options.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await expect.poll(() => focused(page), SOON).toBe("Rename");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Never kept");
    await page.keyboard.press("Escape");
    await expect.poll(() => focused(page), SOON).toBe("Options: a title to change");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.type("Plans for May");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("heading", { level: 1 }).textContent(), SOON).toBe("Plans for May");
    await expect.poll(() => focused(page), SOON).toBe("Options: Plans for May");
    await expect.poll(() => page.locator("main [role=status]").textContent(), SOON).toBe("Renamed");
    await page.reload();
    await expect.poll(() => current(page), SOON).toBe("Plans for May");
  });

  test("a deletion asks first, takes the conversation away in every tab, and opens a new one", async () => {
    const page = await open();
    await ask(page, "to be deleted");
    await completed(page);
    const other = await open();
    await row(other, "to be deleted").waitFor();
    await page.bringToFront(); // what is behind is drawn once a second, and a click waits for two pictures
    const id = new URL(page.url()).searchParams.get("id")!;
    const own = row(page, "to be deleted");
    await own.getByRole("button", { name: /^Options/ }).click();
    await own.getByRole("button", { name: "Delete", exact: true }).click();
    await expect.poll(() => focused(page), SOON).toBe("Delete");
    await own.getByRole("button", { name: "Keep" }).click();
    await expect.poll(() => focused(page), SOON).toBe("Options: to be deleted");
    await own.getByRole("button", { name: /^Options/ }).click();
    await own.getByRole("button", { name: "Delete", exact: true }).click();
    await page.keyboard.press("Enter");
    await expect.poll(() => row(page, "to be deleted").count(), SOON).toBe(0);
    await expect.poll(() => row(other, "to be deleted").count(), SOON).toBe(0);
    await expect.poll(() => page.getByTestId("message").count(), SOON).toBe(0);
    expect((await fetch(`${demo.url}/api/chat/${id}`)).status).toBe(404);
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(false);
  });

  test("a conversation is saved as a file", async () => {
    const page = await open();
    await ask(page, "to be saved");
    await completed(page);
    await row(page, "to be saved")
      .getByRole("button", { name: /^Options/ })
      .click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      row(page, "to be saved").getByRole("link", { name: "Download" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^chat-[0-9a-f]+\.json$/);
  });

  test("on a phone it is a drawer, which keeps the focus, and Esc closes it and gives the focus back", async () => {
    const page = await open();
    await page.setViewportSize({ width: 375, height: 700 });
    await ask(page, "on a phone");
    await completed(page);
    const opener = page.getByTestId("open-list");
    await opener.click();
    const dialog = page.getByRole("dialog", { name: "Conversations" });
    await dialog.waitFor();
    for (let presses = 0; presses < 12; presses++) {
      await page.keyboard.press("Tab");
      // The browser's own bar is a stop too, and then nothing of the page has the focus.
      expect(
        await page.evaluate(
          () => document.activeElement?.closest("dialog") !== null || document.activeElement === document.body,
        ),
      ).toBe(true);
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await opener.evaluate((each) => each === document.activeElement)).toBe(true);
    await opener.click();
    await dialog.getByRole("link", { name: "New chat" }).click();
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => page.getByTestId("message").count(), SOON).toBe(0);
  });
});
