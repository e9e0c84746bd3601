// The AI SDK's own hook on our endpoint, unchanged: with its own transport, and with ours.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Browser, BrowserContext, Locator, Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { Demo } from "./demo.ts";
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

/** The way to the demo, which can be broken. */
class Road {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(target: URL) {
    this.#server = createServer((socket) => {
      const far = connect(Number(target.port), target.hostname);
      for (const [one, other] of [
        [socket, far],
        [far, socket],
      ] as const) {
        this.#sockets.add(one);
        one
          .on("error", () => undefined)
          .on("close", () => {
            this.#sockets.delete(one);
            other.destroy();
          });
        one.pipe(other);
      }
    });
  }

  static async to(url: string): Promise<Road> {
    const road = new Road(new URL(url));
    road.#server.listen(0, "127.0.0.1");
    await once(road.#server, "listening");
    return road;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resets every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}

type TransportName = "default" | "tailrace";

async function openPage(transport: TransportName, url?: string): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(url ?? `${demo.url}/chat/ai-sdk?transport=${transport}`);
  await page.getByTestId("composer").waitFor();
  return page;
}

const answers = (page: Page): Locator => page.locator('[data-testid="message"][data-role="assistant"]');
const textOf = async (page: Page): Promise<string> =>
  (await answers(page).last().getByTestId("message-text").textContent()) ?? "";
const alerts = async (page: Page): Promise<string> =>
  (await page.getByRole("alert").allTextContents()).join(" ").trim();

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

const becomes = (page: Page, status: string): Promise<void> =>
  expect.poll(() => page.getByTestId("status").getAttribute("data-status")).toBe(status);

/** The conversation's last answer as the server keeps it. */
async function kept(page: Page): Promise<{ readonly text: string; readonly end: string | undefined }> {
  const id = new URL(page.url()).searchParams.get("id")!;
  const response = await fetch(`${demo.url}/api/chat/${id}/messages`);
  const { messages } = (await response.json()) as {
    messages: { parts: { text?: string }[]; end?: { reason: string } }[];
  };
  const last = messages.at(-1)!;
  return { text: last.parts.map((part) => part.text ?? "").join(""), end: last.end?.reason };
}

/** What the model says, word for word. */
const WHOLE = Array.from({ length: 240 }, (_, index) => `wörd-${index}`).join(" ");

describe.each(["default", "tailrace"] as const)("/chat/ai-sdk, transport %s", (transport) => {
  test("an answer survives a reload half-way, is live again, and comes to the same text; so in a second tab", async () => {
    model.upTo = 40;
    const page = await openPage(transport);
    await send(page, "slow, please");
    const first = await grown(page, 40);
    await page.reload();
    const after = await grown(page, first.length);
    const two = await openPage(transport, page.url());
    const seen = await grown(two, after.length);
    model.upTo = Infinity;
    await grown(two, seen.length + 20); // live, both of them
    await grown(page, seen.length + 20);
    for (const each of [page, two]) {
      await becomes(each, "ready");
      expect(await textOf(each)).toBe(WHOLE);
      expect(await each.getByTestId("message").count()).toBe(2);
      expect(await alerts(each)).toBe("");
    }
    expect(await kept(page)).toEqual({ text: WHOLE, end: "completed" });
  });

  test("stop in a second tab ends the answer on the server, in both tabs, and keeps what was written", async () => {
    model.upTo = 100;
    const one = await openPage(transport);
    await send(one, "slow, please");
    await grown(one, 40);
    const two = await openPage(transport, one.url());
    await grown(two, 40);
    await two.getByTestId("stop").click();
    await becomes(two, "ready");
    await becomes(one, "ready");
    await expect.poll(() => model.open).toBe(0);
    await expect.poll(async () => (await kept(one)).end).toBe("stopped");
    const partial = await kept(one);
    expect(WHOLE.startsWith(partial.text)).toBe(true);
    expect(await textOf(one)).toBe(partial.text);
    await one.reload();
    await expect.poll(() => one.locator("main").textContent()).toContain("Stopped");
    expect(await textOf(one)).toBe(partial.text);
  });

  test("stop works before the first word", async () => {
    const page = await openPage(transport);
    await send(page, "silent, please");
    await expect.poll(() => model.open).toBe(1);
    await page.getByTestId("stop").click();
    await becomes(page, "ready");
    await expect.poll(() => model.open).toBe(0);
    await expect.poll(() => kept(page)).toEqual({ text: "", end: "stopped" });
  });

  test("a message that is sent while the resume is under way can be stopped before its first word", async () => {
    const page = await openPage(transport);
    const isResume = (request: Request): boolean => new URL(request.url()).pathname.endsWith("/stream");
    const held = Promise.withResolvers<void>();
    await page.route(/\/api\/chat\/[^/]+\/stream(?:\?|$)/, async (route) => {
      await held.promise;
      await route.continue().catch(() => undefined); // a page that has given it up
    });
    const [asked, over] = [
      page.waitForEvent("request", isResume),
      Promise.race([page.waitForEvent("requestfinished", isResume), page.waitForEvent("requestfailed", isResume)]),
    ];
    await page.reload();
    await asked;
    await page.getByTestId("composer").fill("silent, please");
    if (transport === "default") {
      // It would take the answer to its resume for the end of what was sent, so the page has nothing sent until then.
      expect(await page.getByTestId("send").isDisabled()).toBe(true);
      held.resolve();
    }
    await page.getByTestId("send").click();
    await expect.poll(() => model.open).toBe(1);
    held.resolve();
    await over;
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    expect(await page.getByTestId("status").getAttribute("data-status")).toBe("submitted");
    await page.getByTestId("stop").click();
    await becomes(page, "ready");
    await expect.poll(() => kept(page)).toEqual({ text: "", end: "stopped" });
  });

  test("the death of the server is an error and no finished answer, also after a reload; the next message works", async () => {
    model.upTo = 100;
    const page = await openPage(transport);
    await send(page, "slow, please");
    await grown(page, 100);
    await demo.end("SIGKILL");
    const shown = await textOf(page);
    await demo.start();
    await becomes(page, "error");
    expect(await alerts(page)).not.toBe("");
    if (transport === "tailrace") expect(await alerts(page)).toContain("interrupted");
    // Its lease has to run out before anybody may say so.
    await expect.poll(async () => (await kept(page)).end).toBe("interrupted");
    const partial = await kept(page);
    expect(partial.text.startsWith(shown)).toBe(true);
    await page.reload();
    await expect.poll(() => page.locator("main").textContent()).toContain("Interrupted");
    expect(await textOf(page)).toBe(partial.text);
    await send(page, "quick, please");
    await expect.poll(() => answers(page).count()).toBe(2);
    await becomes(page, "ready");
    expect(await textOf(page)).toBe(WHOLE.split(" ").slice(0, 20).join(" "));
  });

  test("a model that is cut half-way is an error with what it had said", async () => {
    const page = await openPage(transport);
    await send(page, "cut, please");
    await becomes(page, "error");
    expect(await alerts(page)).not.toBe("");
    expect(await textOf(page)).toBe(WHOLE.split(" ").slice(0, 10).join(" "));
  });
});

describe("/chat/ai-sdk, the difference", () => {
  test("a connection that breaks fails with the stock transport, and goes on by itself with ours, word for word", async () => {
    const road = await Road.to(demo.url);
    try {
      for (const transport of ["default", "tailrace"] as const) {
        model.upTo = 40;
        const page = await openPage(transport, `${road.url}/chat/ai-sdk?transport=${transport}`);
        await send(page, "slow, please");
        const first = await grown(page, 40);
        road.cut();
        model.upTo = 120;
        if (transport === "default") {
          await becomes(page, "error");
          expect(await alerts(page)).not.toBe("");
          continue;
        }
        const later = await grown(page, first.length + 200);
        road.cut();
        model.upTo = Infinity;
        await becomes(page, "ready");
        expect(await textOf(page)).toBe(WHOLE);
        expect(WHOLE.startsWith(later)).toBe(true);
        expect(await alerts(page)).toBe("");
      }
    } finally {
      road.close();
    }
  });

  test("leaving the page by a link stops nothing with either transport", async () => {
    for (const transport of ["default", "tailrace"] as const) {
      model.upTo = 40;
      const page = await openPage(transport);
      await send(page, "slow, please");
      await grown(page, 40);
      const address = page.url();
      await page.locator("header").getByRole("link", { name: "Docs" }).click();
      await page.waitForURL(/\/docs/);
      model.upTo = Infinity;
      await page.goto(address);
      await page.getByTestId("composer").waitFor();
      await expect.poll(() => textOf(page)).toBe(WHOLE);
      await becomes(page, "ready");
    }
  });

  test("the switch keeps the conversation, in the middle of an answer too", async () => {
    model.upTo = 40;
    const page = await openPage("default");
    await send(page, "slow, please");
    const seen = await grown(page, 40);
    await page.getByTestId("transport-tailrace").click();
    await page.waitForURL(/transport=tailrace/);
    model.upTo = Infinity;
    await grown(page, seen.length + 40);
    await becomes(page, "ready");
    expect(await textOf(page)).toBe(WHOLE);
    expect(await page.getByTestId("message").count()).toBe(2);
  });
});
