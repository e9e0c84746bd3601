// The main job in a real browser: send, reload, follow in a second tab, stop from there, survive the server's death.

import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { BUSY_MS, Demo } from "./demo.ts";
import { Model } from "./model.ts";

let model: Model;
let demo: Demo;
let browser: Browser;
let context: BrowserContext;
let faults: string[];

beforeAll(async () => {
  model = await Model.start();
  [demo, browser] = await Promise.all([Demo.start({ OPENAI_BASE_URL: model.url }), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
  model.close();
});
beforeEach(async () => {
  model.upTo = Infinity;
  context = await browser.newContext();
  faults = [];
});
afterEach(async () => {
  await context.close();
  if (faults.length > 0) throw new Error(`The page threw: ${faults.join("; ")}`);
});

async function openPage(url = `${demo.url}/chat`): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(url);
  return page;
}

const answers = (page: Page): Locator => page.locator('[data-testid="message"][data-role="assistant"]');
const textOf = async (page: Page): Promise<string> =>
  (await answers(page).last().getByTestId("message-text").textContent()) ?? "";

async function send(page: Page, text: string): Promise<void> {
  await page.getByTestId("composer").fill(text);
  await page.getByTestId("send").click();
}

/** Waits until the last answer has at least `length` characters. */
async function grown(page: Page, length: number): Promise<string> {
  await expect
    .poll(async () => (await answers(page).count()) && (await textOf(page)).length)
    .toBeGreaterThanOrEqual(length);
  return textOf(page);
}

const ended = (page: Page, reason: string): Promise<void> =>
  expect.poll(async () => (await answers(page).count()) && answers(page).last().getAttribute("data-end")).toBe(reason);

const shows = (page: Page, text: RegExp): Promise<void> =>
  expect.poll(() => page.locator("main").textContent()).toMatch(text);

interface Kept {
  readonly role: string;
  readonly text: string;
  readonly end: string | undefined;
}

/** The conversation as the server keeps it. */
async function kept(page: Page): Promise<Kept[]> {
  const id = new URL(page.url()).searchParams.get("id")!;
  const response = await fetch(`${demo.url}/api/chat/${id}/messages`);
  const { messages } = (await response.json()) as {
    messages: { role: string; parts: { type: string; text?: string }[]; end?: { reason: string } }[];
  };
  return messages.map(({ role, parts, end }) => ({
    role,
    text: parts.map((part) => part.text ?? "").join(""),
    end: end?.reason,
  }));
}

/** What the model says, word for word. */
const WHOLE = Array.from({ length: 240 }, (_, index) => `wörd-${index}`).join(" ");

describe("/chat", () => {
  test("an answer grows, survives a reload half-way without a doubled or missing character, and is live again", async () => {
    model.upTo = 20;
    const page = await openPage();
    await send(page, "slow, please");
    const first = await grown(page, 20);
    model.upTo = 40;
    const later = await grown(page, first.length + 20);
    await page.reload();
    const after = await grown(page, later.length);
    model.upTo = Infinity;
    await grown(page, after.length + 20); // live again
    await ended(page, "completed");
    for (const seen of [first, later, after]) expect(WHOLE.startsWith(seen)).toBe(true);
    expect(await textOf(page)).toBe(WHOLE);
    await page.reload();
    await ended(page, "completed");
    expect(await textOf(page)).toBe(WHOLE);
    expect(await page.getByTestId("message").count()).toBe(2);
    expect(await kept(page)).toEqual([
      { role: "user", text: "slow, please", end: undefined },
      { role: "assistant", text: WHOLE, end: "completed" },
    ]);
  });

  test("a second tab follows live; stop there ends the first tab, says stopped, keeps the partial answer and stops the bill", async () => {
    model.upTo = 20;
    const one = await openPage();
    await send(one, "slow, please");
    await grown(one, 20);
    const two = await openPage(one.url());
    const seen = await grown(two, 20);
    model.upTo = 100;
    await grown(two, seen.length + 20);
    await two.getByTestId("stop").click();
    await ended(one, "stopped");
    await ended(two, "stopped");
    await expect.poll(() => model.open).toBe(0);
    const partial = (await kept(one))[1]!;
    expect(partial.end).toBe("stopped");
    expect(WHOLE.startsWith(partial.text)).toBe(true);
    expect(partial.text.length).toBeGreaterThan(20);
    for (const page of [one, two]) {
      expect(await textOf(page)).toBe(partial.text);
      await shows(page, /stopped/i);
    }
    await one.reload();
    await ended(one, "stopped");
    expect(await textOf(one)).toBe(partial.text);
  });

  test("stop works before the first word", async () => {
    const page = await openPage();
    await send(page, "silent, please");
    await page.getByTestId("stop").click();
    await ended(page, "stopped");
    await expect.poll(() => model.open).toBe(0);
    expect((await kept(page)).at(-1)).toMatchObject({ role: "assistant", text: "", end: "stopped" });
  });

  test("SIGKILL during an answer, restart: the page shows what was written and interrupted, and the next message works", async () => {
    model.upTo = 100;
    const page = await openPage();
    await send(page, "slow, please");
    await grown(page, 100);
    await demo.end("SIGKILL");
    const shown = await textOf(page);
    await demo.start();
    await ended(page, "interrupted"); // the page comes back by itself
    const partial = (await kept(page))[1]!;
    expect(partial.end).toBe("interrupted");
    expect(partial.text.startsWith(shown)).toBe(true);
    expect(WHOLE.startsWith(partial.text)).toBe(true);
    expect(await textOf(page)).toBe(partial.text);
    await page.reload();
    await ended(page, "interrupted");
    expect(await textOf(page)).toBe(partial.text);
    await shows(page, /interrupted/i);
    await send(page, "quick, please");
    await expect.poll(() => answers(page).count()).toBe(2);
    await ended(page, "completed");
    expect(await textOf(page)).toBe(WHOLE.split(" ").slice(0, 20).join(" "));
  });

  test("SIGTERM during an answer ends within 5 s; after the restart the page says interrupted", async () => {
    model.upTo = 100; // it never says the last word, so who waits for that waits for ever
    const page = await openPage();
    await send(page, "slow, please");
    await grown(page, 50);
    const { code, tookMs } = await demo.end("SIGTERM");
    expect([0, "SIGTERM", 143]).toContain(code);
    expect(tookMs).toBeLessThan(5_000 + BUSY_MS); // the stated bound
    await demo.start();
    await ended(page, "interrupted");
    expect(WHOLE.startsWith(await textOf(page))).toBe(true);
  });

  test("a model that is cut half-way never looks complete: failed, with what it had said", async () => {
    const page = await openPage();
    await send(page, "cut, please");
    await ended(page, "failed");
    expect(await textOf(page)).toBe(WHOLE.split(" ").slice(0, 10).join(" "));
    await page.getByTestId("retry").click();
    await ended(page, "failed");
    expect(await page.getByTestId("message").count()).toBe(2);
  });

  test("a message that is sent twice is answered once", async () => {
    const before = model.asked;
    const body = JSON.stringify({
      id: "twice",
      trigger: "submit-message",
      messages: [{ id: "m1", role: "user", parts: [{ type: "text", text: "quick" }] }],
    });
    const post = async (): Promise<string[]> => {
      const response = await fetch(`${demo.url}/api/chat`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
      return (await response.text()).match(/^data: .*$/gm) ?? [];
    };
    const [one, two] = await Promise.all([post(), post()]);
    expect(one).toEqual(two);
    expect(one.at(-1)).toBe("data: [DONE]");
    expect(model.asked).toBe(before + 1);
    const { messages } = (await (await fetch(`${demo.url}/api/chat/twice/messages`)).json()) as { messages: unknown[] };
    expect(messages).toHaveLength(2);
  });
});
