// The live page, the stock EventSource and curl, across a restart of the server.

import { spawn } from "node:child_process";
// Under another name: the same name inside a page means the browser's own.
import { EventSource as StockEventSource } from "eventsource";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hydrated, launch } from "./browser.ts";
import { curlUntil } from "./curl.ts";
import { Demo } from "./demo.ts";

let demo: Demo;
let browser: Browser;

beforeAll(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
});

async function publish(title: string): Promise<string> {
  const response = await fetch(`${demo.url}/api/notifications`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ title, body: "" }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

describe("/live and /api/events", () => {
  test("a page shows what another tab publishes, comes back after a restart and misses no notification", async () => {
    const context = await browser.newContext();
    const [one, two] = [await context.newPage(), await context.newPage()];
    await Promise.all([one.goto(`${demo.url}/live`), two.goto(`${demo.url}/live`)]);
    const titles = (): Promise<string[]> => one.getByTestId("notification").allTextContents();
    const shows = (title: string): Promise<void> =>
      expect.poll(async () => (await titles()).filter((text) => text.includes(title)).length).toBe(1);
    await hydrated(two.getByTestId("title"));
    await two.getByTestId("title").fill("from the other tab");
    await two.getByTestId("body").fill("hello");
    await two.getByTestId("publish").click();
    await shows("from the other tab");
    await demo.end("SIGTERM");
    await demo.start();
    await Promise.all(["during 1", "during 2", "during 3"].map(publish));
    for (const title of ["during 1", "during 2", "during 3"]) await shows(title);
    await demo.end("SIGKILL");
    await demo.start();
    await publish("after the kill");
    await shows("after the kill");
    await shows("from the other tab"); // and nothing is doubled
    await context.close();
  });

  test("a stock EventSource comes back across a restart and misses nothing", async () => {
    const source = new StockEventSource(`${demo.url}/api/events`);
    const seen: { id: string; title: string }[] = [];
    source.addEventListener("notification", (event) => {
      seen.push({ id: event.lastEventId, title: (JSON.parse(event.data as string) as { title: string }).title });
    });
    await new Promise((resolve) => source.addEventListener("connected", resolve, { once: true }));
    const first = await publish("one");
    await expect.poll(() => seen.length).toBe(1);
    await demo.roll("SIGTERM");
    const second = await publish("two");
    await expect.poll(() => seen.length).toBe(2);
    expect(seen).toEqual([
      { id: first, title: "one" },
      { id: second, title: "two" },
    ]);
    source.close();
  });

  test("Chromium's own EventSource comes back across a kill and misses nothing", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(demo.url);
    await page.evaluate(async () => {
      const seen: string[] = [];
      Object.assign(globalThis, { seen });
      const source = new EventSource("/api/events");
      source.addEventListener("notification", (event: MessageEvent<string>) => {
        seen.push((JSON.parse(event.data) as { title: string }).title);
      });
      await new Promise((resolve) => source.addEventListener("connected", resolve, { once: true }));
    });
    const seen = (): Promise<string[]> => page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
    await publish("native one");
    await expect.poll(seen).toEqual(["native one"]);
    await demo.roll("SIGKILL");
    await publish("native two");
    await expect.poll(seen).toEqual(["native one", "native two"]);
    await context.close();
  });

  test("curl resumes by Last-Event-ID across a restart", async () => {
    const curl = spawn("curl", ["-sN", `${demo.url}/api/events`]);
    let output = "";
    curl.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    await expect.poll(() => output).toContain("event: connected");
    const id = await publish("seen by curl");
    await expect.poll(() => output).toContain(`id: ${id}\ndata: {"title":"seen by curl"`);
    await demo.end("SIGTERM");
    await demo.start();
    await publish("missed by curl");
    const again = await curlUntil(["-H", `Last-Event-ID: ${id}`, `${demo.url}/api/events`], "missed by curl");
    expect(again).not.toContain("seen by curl");
  });
});
