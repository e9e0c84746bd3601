// What a reader does with messages: edits them, asks again, looks at other versions, queues, attaches, allows.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { ChatPageModel } from "./chat-page-model.ts";
import { Demo } from "./demo.ts";

/** Long enough for a slow machine; what is waited for is seen at once. */
const SOON = { timeout: 90_000 };
const FILE = { name: "a file.txt", mimeType: "text/plain", buffer: Buffer.from("hello") };

let model: ChatPageModel;
let demo: Demo;
/** Without a model: its tool asks whether it may run. */
let docs: Demo;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  model = await ChatPageModel.start();
  [demo, docs, browser] = await Promise.all([Demo.start({ OPENAI_BASE_URL: model.url }), Demo.start(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
  await docs?.remove();
  model.close();
});
afterEach(async () => context?.close());

async function open(url: string): Promise<Page> {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${url}/chat`);
  await page.getByTestId("composer").waitFor();
  return page;
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByTestId("composer").fill(text);
  await page.keyboard.press("Enter");
}

/** The roles and texts of the reader's messages, and the ends of the answers. */
const shown = (page: Page): Promise<(string | null)[]> =>
  page
    .getByTestId("message")
    .evaluateAll((all) =>
      all.map((each) =>
        each.getAttribute("data-role") === "user"
          ? each.querySelector("[data-testid=message-text]")!.textContent
          : each.getAttribute("data-end"),
      ),
    );
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
const status = (page: Page): Promise<string | null> => page.locator("main [role=status]").textContent();

describe("messages on /chat", () => {
  test("an edit makes a branch, and the keyboard goes from one version to the other and keeps its place", async () => {
    const page = await open(demo.url);
    await ask(page, "one");
    await expect.poll(() => shown(page), SOON).toEqual(["one", "completed"]);
    await page.getByTestId("edit").focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("edit-field").fill("never sent");
    await page.keyboard.press("Escape");
    await expect.poll(() => focused(page), SOON).toBe("Edit your message");
    expect(await shown(page)).toEqual(["one", "completed"]);
    await page.keyboard.press("Enter");
    await page.getByTestId("edit-field").fill("two");
    await page.keyboard.press("Control+Enter");
    await expect.poll(() => shown(page), SOON).toEqual(["two", "completed"]);
    const versions = page.getByRole("group", { name: "Versions of your message" });
    await expect.poll(() => versions.textContent(), SOON).toBe("Version 2 / 2");
    await versions.getByRole("button", { name: /^Previous/ }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => shown(page), SOON).toEqual(["one", "completed"]);
    // There is none before it: the way back has the focus.
    await expect.poll(() => focused(page), SOON).toBe("Next version of your message");
    await expect.poll(() => status(page), SOON).toBe("Version 1 of 2");
    await page.keyboard.press("Enter");
    await expect.poll(() => shown(page), SOON).toEqual(["two", "completed"]);
  });

  test("another answer stands beside the first, and an edit takes the place of an answer that is being written", async () => {
    const page = await open(demo.url);
    await ask(page, "again");
    await expect.poll(() => shown(page), SOON).toEqual(["again", "completed"]);
    await page.getByTestId("again").click();
    const versions = page.getByRole("group", { name: "Versions of the answer" });
    await expect.poll(() => versions.textContent(), SOON).toBe("Version 2 / 2");
    await expect.poll(() => shown(page), SOON).toEqual(["again", "completed"]);
    await ask(page, "hold");
    await page.locator("[data-role=assistant]").nth(1).waitFor();
    await page.getByTestId("edit").last().click();
    await page.getByTestId("edit-field").fill("go");
    await page.keyboard.press("Enter");
    await expect.poll(() => shown(page), SOON).toEqual(["again", "completed", "go", "completed"]);
  });

  test("what is sent while an answer is written waits for it, and can be taken back", async () => {
    const page = await open(demo.url);
    await ask(page, "hold");
    await page.locator("[data-role=assistant]").waitFor();
    await ask(page, "second");
    await expect.poll(() => status(page), SOON).toBe("Message waits for the answer");
    await ask(page, "third");
    await expect.poll(() => page.getByTestId("queued").count(), SOON).toBe(2);
    await page.getByRole("button", { name: "Withdraw: third" }).click();
    expect(await page.getByTestId("composer").inputValue()).toBe("third");
    expect(await shown(page)).toEqual(["hold", null]);
    await model.release();
    await expect.poll(() => shown(page), SOON).toEqual(["hold", "completed", "second", "completed"]);
    expect(await page.getByTestId("queued").count()).toBe(0);
  });

  test("files are uploaded and go with the message; one that is too large is refused with the limit", async () => {
    const page = await open(demo.url);
    await page.getByTestId("file-input").setInputFiles(FILE);
    await page.locator("[data-testid=attachment][data-status=done]").waitFor();
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(["pasted"], "pasted.txt", { type: "text/plain" }));
      document
        .querySelector("[data-testid=composer]")!
        .dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
    });
    await page.locator("[data-testid=attachment][data-status=done]").nth(1).waitFor();
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(25_000_001)], "large.bin"));
      for (const type of ["dragenter", "drop"]) {
        window.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
      }
    });
    await page.getByRole("alert").filter({ hasText: "large.bin has 25.0 MB" }).waitFor();
    expect(await page.getByTestId("attachment").count()).toBe(2);
    await page.getByRole("button", { name: "Remove pasted.txt" }).click();
    await ask(page, "look at it");
    await expect.poll(() => shown(page), SOON).toEqual(["look at it", "completed"]);
    expect(await page.getByTestId("attachment").count()).toBe(0);
    await page.reload();
    const file = page.getByTestId("file");
    expect(await file.textContent()).toBe("a file.txt");
    const response = await fetch(new URL((await file.getAttribute("href"))!, demo.url));
    expect(await response.text()).toBe("hello");
  });

  test.each([
    ["Allow", "3 notes", "Allowed"],
    ["Do not allow", "Nothing was deleted", "Not allowed"],
  ])("a tool asks whether it may run: %s", async (button, words, said) => {
    const page = await open(docs.url);
    await ask(page, "Delete my notes, please");
    const question = page.getByRole("group", { name: "May Delete notes run?" });
    await question.waitFor();
    await expect.poll(() => status(page), SOON).toMatch(/A tool asks whether it may run$/);
    await question.getByRole("button", { name: button, exact: true }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => status(page), SOON).toBe(said);
    await page.getByText(words).waitFor();
    await expect.poll(() => shown(page), SOON).toEqual(["Delete my notes, please", "completed", "completed"]);
    await page.reload();
    await page.getByText(words).waitFor();
    expect(await page.getByTestId("approval").count()).toBe(0);
    expect((await page.getByRole("alert").allTextContents()).join("")).toBe("");
  });
});
