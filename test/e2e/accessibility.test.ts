// axe finds nothing on any page of the demo, and nothing on the chat in any of its states, in light and in dark.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { ChatPageModel } from "./chat-page-model.ts";
import { Demo } from "./demo.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const SCHEMES = ["light", "dark"] as const;
const WAIT_MS = 90_000;
const PHONE = { width: 375, height: 720 };
const DESK = { width: 1280, height: 800 };

let model: ChatPageModel;
let demo: Demo;
/** Without a model: it answers from the documentation, and its tool asks whether it may run. */
let docs: Demo;
let browser: Browser;

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

/** What axe finds, in words; nothing is still moving when it looks. */
async function findings(page: Page): Promise<readonly string[]> {
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity)
        .map((animation) => animation.finished),
    ).catch(() => undefined),
  );
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const options: axe.RunOptions = { runOnly: { type: "tag", values: TAGS }, resultTypes: ["violations"] };
  const { violations } = await page.evaluate<axe.AxeResults, axe.RunOptions>(
    (asked) => (window as unknown as { axe: typeof axe }).axe.run(document, asked),
    options,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`),
  );
}

async function open(
  scheme: (typeof SCHEMES)[number],
  viewport: typeof DESK,
  run: (page: Page, context: BrowserContext) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ colorScheme: scheme, viewport });
  try {
    await run(await context.newPage(), context);
  } finally {
    await context.close();
  }
}

const ask = async (page: Page, text: string): Promise<void> => {
  const count = await page.locator("[data-role=assistant]").count();
  await page.getByTestId("composer").fill(text);
  await page.keyboard.press("Enter");
  await page.locator("[data-role=assistant]").nth(count).waitFor({ timeout: WAIT_MS });
};
const ended = (page: Page, reason: string): Promise<void> =>
  page.locator(`[data-role=assistant][data-end=${reason}]`).last().waitFor({ timeout: WAIT_MS });

describe("axe", () => {
  test.each([
    "/",
    "/live",
    "/files",
    "/upload",
    "/transform",
    "/jobs",
    "/export",
    "/docs/README.md",
    "/chat/ai-sdk",
    "/nowhere",
  ])("finds nothing on %s, in light and dark, on a desk and on a phone", async (path) => {
    await open("light", DESK, async (page) => {
      await page.goto(demo.url + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await expect.poll(() => page.locator("main[aria-busy=true]").count(), { timeout: WAIT_MS }).toBe(0);
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        for (const viewport of [DESK, PHONE]) {
          await page.setViewportSize(viewport);
          expect(await findings(page), `${colorScheme}, ${viewport.width} px`).toEqual([]);
        }
      }
    });
  });
});

describe.each(SCHEMES)("axe, %s", (scheme) => {
  test("finds nothing on the chat from its beginning to its end", async () => {
    await open(scheme, DESK, async (page) => {
      await page.goto(`${demo.url}/chat`);
      await page.getByTestId("composer").waitFor();
      expect(await findings(page), "empty").toEqual([]);
      await ask(page, "think, tool");
      await ended(page, "completed");
      await page.locator("summary").first().click();
      expect(await findings(page), "finished").toEqual([]);
      await page.getByTestId("edit").last().click();
      expect(await findings(page), "edited").toEqual([]);
      await page.getByTestId("edit-field").fill("hold");
      await page.keyboard.press("Enter");
      await page.getByText("Some bold").waitFor({ timeout: WAIT_MS });
      await page
        .getByTestId("file-input")
        .setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") });
      await page.locator("[data-testid=attachment][data-status=done]").waitFor({ timeout: WAIT_MS });
      await page.getByTestId("composer").fill("and then");
      expect(await findings(page), "streaming, a file attached").toEqual([]);
      await page.keyboard.press("Enter");
      await page.getByTestId("queued").waitFor();
      expect(await findings(page), "queued").toEqual([]);
      await model.release();
      await expect.poll(() => page.getByTestId("message").count(), { timeout: WAIT_MS }).toBe(4);
      await ended(page, "completed");
      expect(await findings(page), "branches and a file").toEqual([]);
      await ask(page, "fail");
      await ended(page, "failed");
      expect(await findings(page), "failed").toEqual([]);
    });
  });

  test("finds nothing on the list of conversations, in a drawer and beside", async () => {
    await open(scheme, PHONE, async (page) => {
      await page.goto(`${demo.url}/chat`);
      await ask(page, "go");
      await ended(page, "completed");
      expect(await findings(page), "on a phone").toEqual([]);
      for (const place of ["dialog", ".chat-side"]) {
        if (place === "dialog") await page.getByTestId("open-list").click();
        else await page.setViewportSize(DESK);
        const row = page.locator(`${place} [data-testid=chat-row]`).first();
        await row.getByRole("button", { name: /^Options/ }).click();
        expect(await findings(page), `${place}, actions`).toEqual([]);
        await row.getByRole("button", { name: "Delete", exact: true }).click();
        expect(await findings(page), `${place}, deletion`).toEqual([]);
        await page.keyboard.press("Escape");
        await row.getByRole("button", { name: /^Options/ }).click();
        await row.getByRole("button", { name: "Rename" }).click();
        expect(await findings(page), `${place}, title`).toEqual([]);
        await page.keyboard.press("Escape");
      }
    });
  });

  test("finds nothing where a tool asks whether it may run", async () => {
    await open(scheme, PHONE, async (page) => {
      await page.goto(`${docs.url}/chat`);
      await ask(page, "Delete my notes, please");
      await page.getByTestId("approval").waitFor();
      await ended(page, "completed");
      expect(await findings(page), "asked").toEqual([]);
      await page.getByRole("button", { name: "Do not allow" }).click();
      await page.getByText("Nothing was deleted").waitFor({ timeout: WAIT_MS });
      expect(await findings(page), "answered").toEqual([]);
    });
  });
});
