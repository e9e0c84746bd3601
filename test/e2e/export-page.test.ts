// The page of exports in Chromium: by the keyboard alone, on a phone, with bad input, and with a server that is gone.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeSample } from "../../apps/demo/lib/sample/make.ts";
import { launch } from "./browser.ts";
import { Demo } from "./demo.ts";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

let demo: Demo;
let browser: Browser;
beforeAll(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
  await makeSample(join(demo.dataDir, "sample.db"));
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
});

async function onPage(options: object, look: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    await page.goto(`${demo.url}/export`);
    await look(page);
  } finally {
    await context.close();
  }
}
const preview = (page: Page) => page.getByRole("region", { name: "Table of the first rows" });
const shownRows = (page: Page): Promise<number> => preview(page).locator("tbody tr").count();
/** What has the focus: its label or its text. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const label = (element as HTMLInputElement).labels?.[0] ?? element;
    return element.getAttribute("aria-label") ?? label.textContent;
  });
/** Whether one can see that something has the focus. */
const hasOutline = (page: Page): Promise<boolean> =>
  page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle !== "none");

describe("/export", () => {
  test("by the keyboard: what to export is chosen, a file made, told aloud, downloaded under its name", async () => {
    await onPage({ acceptDownloads: true }, async (page) => {
      await expect.poll(() => shownRows(page)).toBe(8);
      await page.getByText("None yet. Each is kept for a day.").waitFor();
      await page.getByRole("combobox", { name: "Table" }).focus();
      await page.keyboard.type("users");
      await expect.poll(() => preview(page).getByRole("columnheader").allTextContents()).toContain("email");
      await page.keyboard.press("Tab");
      expect(await focused(page)).toContain("Only where plan is");
      await page.keyboard.type("team");
      await page.keyboard.press("Tab");
      expect(await focused(page)).toBe("Rows, at most");
      expect(await hasOutline(page)).toBe(true);
      await page.keyboard.press("ControlOrMeta+a");
      await page.keyboard.type("1234");
      await page.keyboard.press("Tab");
      expect(await hasOutline(page)).toBe(true);
      await page.keyboard.press("ArrowRight");
      expect(await focused(page)).toBe("NDJSON");
      await expect
        .poll(() => preview(page).locator("tbody tr td:nth-child(5)").allTextContents())
        .toEqual(Array.from({ length: 8 }, () => "team"));

      await page.keyboard.press("Tab");
      const direct = page.waitForEvent("download");
      await page.keyboard.press("Enter");
      const saved = await direct;
      expect(saved.suggestedFilename()).toBe("users.ndjson");
      const text = await readFile(await saved.path(), "utf8");
      expect(text.split("\n")).toHaveLength(1_234 + 2);

      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const row = page.getByTestId("export").first();
      await expect.poll(() => row.getAttribute("data-state")).toBe("completed");
      const name = "users, team, 1,234 rows, NDJSON";
      await expect.poll(() => row.getByRole("heading", { name, level: 3 }).count()).toBe(1);
      await expect.poll(() => row.getByTestId("export-line").textContent()).toMatch(/^Done · 1,234 rows · .* kB/);
      await row.getByRole("link", { name: `Download: ${name}` }).focus();
      const made = page.waitForEvent("download");
      await page.keyboard.press("Enter");
      expect((await made).suggestedFilename()).toBe("users.ndjson");
      expect(await readFile(await (await made).path(), "utf8")).toBe(text);

      await row.getByRole("button", { name: `Again: ${name}` }).press("Enter");
      await expect.poll(() => page.getByTestId("export").count()).toBe(2);
      expect(await focused(page)).toBe(`Again: ${name}`);
    });
  });

  test("an export says aloud that it is made and when it is done", async () => {
    await onPage({}, async (page) => {
      await expect.poll(() => shownRows(page)).toBe(8);
      const said = page.evaluate(
        () =>
          new Promise<string[]>((resolve) => {
            const texts: string[] = [];
            const watch = new MutationObserver(() => {
              const text = document.querySelector('[data-testid="export"] [role="status"]')?.textContent ?? "";
              if (text !== "" && texts.at(-1) !== text) texts.push(text);
              if (text.endsWith("is ready to be downloaded")) resolve(texts);
            });
            watch.observe(document.body, { subtree: true, childList: true, characterData: true });
          }),
      );
      await page.getByTestId("rows").fill("1000000");
      await page.getByTestId("make").click();
      const texts = await said;
      expect(texts).toContain("events, 1,000,000 rows, CSV: is being made");
      expect(texts.at(-1)).toBe("events, 1,000,000 rows, CSV: is ready to be downloaded");
    });
  });

  test("rows of the preview are shown as they come, and none of another table's", async () => {
    await onPage({}, async (page) => {
      await expect.poll(() => shownRows(page)).toBe(8);
      // Rows from now on come when the test says so.
      await page.evaluate(() => {
        const original = globalThis.fetch;
        globalThis.fetch = (input, init) => {
          if (typeof input !== "string" || !input.startsWith("/api/export?")) return original(input, init);
          const body = new ReadableStream({
            start: (controller) => void Object.assign(globalThis, { heldRows: controller }),
          });
          return Promise.resolve(new Response(body, { headers: { "content-type": "application/x-ndjson" } }));
        };
      });
      const send = (row: object | null): Promise<void> =>
        page.evaluate(
          (line) => {
            const { heldRows } = globalThis as unknown as { readonly heldRows: ReadableStreamDefaultController };
            if (line === null) heldRows.close();
            else heldRows.enqueue(new TextEncoder().encode(line));
          },
          row === null ? null : `${JSON.stringify(row)}\n`,
        );
      await page.getByTestId("table").selectOption("orders");
      await preview(page).getByText("Waiting for the rows…").waitFor();
      expect(await shownRows(page)).toBe(0);
      await send({ id: 1, product: "Lamp", remark: null });
      await expect.poll(() => shownRows(page)).toBe(1);
      await send({ id: 2, product: "Mug", remark: "" });
      await expect.poll(() => shownRows(page)).toBe(2);
      await send(null);
      expect(await preview(page).getByText("null", { exact: true }).count()).toBe(1);
    });
  });

  test("rows that cannot be are refused in the form, and nothing is sent", async () => {
    await onPage({}, async (page) => {
      await expect.poll(() => shownRows(page)).toBe(8);
      const posts: string[] = [];
      page.on("request", (request) => void (request.method() === "POST" && posts.push(request.url())));
      const rows = page.getByRole("spinbutton", { name: "Rows, at most" });
      for (const text of ["", "-1", "1.5", "1000001"]) {
        await rows.fill(text);
        const rule = page.getByText("A whole number from 0 to 1,000,000.");
        await rule.waitFor();
        expect(await rows.getAttribute("aria-describedby")).toBe(await rule.getAttribute("id"));
        const link = page.getByTestId("download");
        expect([await link.getAttribute("href"), await link.getAttribute("aria-disabled")]).toEqual([null, "true"]);
        await page.getByTestId("make").click();
        expect(await rows.evaluate((field) => field === document.activeElement)).toBe(true);
      }
      await rows.fill("0");
      await preview(page).getByText("No rows.").waitFor();
      expect(await page.getByTestId("download").getAttribute("href")).toContain("rows=0");
      expect(posts).toEqual([]);
      await page.getByTestId("make").click();
      await expect.poll(() => posts).toEqual([`${demo.url}/api/exports`]);
    });
  });

  test("a server that is gone is told, and is found again", async () => {
    await onPage({}, async (page) => {
      await expect.poll(() => shownRows(page)).toBe(8);
      await page.route("**/api/export*", (route) => route.abort());
      await page.getByTestId("filter").selectOption("error");
      await expect.poll(() => page.getByRole("alert").allTextContents()).toContain("The server could not be reached.");
      await page.getByTestId("make").click();
      await expect.poll(() => page.locator('[role="alert"] .notice').count()).toBe(2);
      await page.unroute("**/api/export*");
      await page.getByTestId("filter").selectOption("click");
      await expect.poll(() => shownRows(page)).toBe(8);
      await page.getByTestId("make").click();
      await expect.poll(() => page.locator('[role="alert"] .notice').count()).toBe(0);
    });
  });

  test("on a phone nothing is wider than the screen, and the header shows where one is", async () => {
    await onPage(PHONE, async (page) => {
      await expect.poll(() => shownRows(page)).toBe(8);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      const inView = (name: string): Promise<boolean> =>
        page
          .getByRole("navigation", { name: "Pages" })
          .getByRole("link", { name })
          .evaluate((link) => {
            const [outer, inner] = [link.closest("nav")!.getBoundingClientRect(), link.getBoundingClientRect()];
            return inner.left >= outer.left - 1 && inner.right <= outer.right + 1;
          });
      expect(await inView("Export")).toBe(true);
      expect(await inView("Chat")).toBe(false);
      await page.getByRole("link", { name: "Upload" }).tap();
      await page.waitForURL("**/upload");
      await expect.poll(() => inView("Upload")).toBe(true);
      await page.goto(`${demo.url}/docs`);
      await expect.poll(() => inView("Docs")).toBe(true);
    });
  });
});
