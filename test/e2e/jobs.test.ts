// Long work through Next.js: queued, followed, cancelled, tried again, and carried on when the server is killed.

import { createHash } from "node:crypto";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EventSource } from "eventsource";
import type { JobSnapshot } from "tailrace";
import { createEventDecoder } from "tailrace/wire";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { Demo } from "./demo.ts";
import { hitHalfWay } from "./export-exchange.ts";
import { RawExchange } from "./raw-exchange.ts";

/** 25 MB at this speed take some 5 s: time to do something half-way. */
const SLOWLY = { kind: "hash", folder: "files", bytesPerSecond: 5_000_000 };
/** At this speed two minutes: nobody waits for its end. */
const ENDLESSLY = { ...SLOWLY, bytesPerSecond: 200_000 };

let demo: Demo;
let browser: Browser;
beforeAll(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
});

async function start(body: object, url = demo.url): Promise<string> {
  const response = await fetch(`${url}/api/jobs`, { method: "POST", body: JSON.stringify(body) });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { readonly id: string };
  expect(response.headers.get("location")).toBe(`/api/jobs/${id}`);
  return id;
}
const jobUrl = (id: string): string => `${demo.url}/api/jobs/${id}`;
const cancel = (id: string): Promise<Response> => fetch(jobUrl(id), { method: "DELETE" });
const follow = (id: string): Promise<string> => fetch(jobUrl(id)).then((response) => response.text());
async function list(): Promise<readonly JobSnapshot[]> {
  return ((await (await fetch(`${demo.url}/api/jobs`)).json()) as { readonly jobs: readonly JobSnapshot[] }).jobs;
}
const find = async (id: string): Promise<JobSnapshot | undefined> => (await list()).find((job) => job.id === id);

/** The data of the events of that name. */
function eventsOf(text: string, name: string): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  const decoder = createEventDecoder({
    onEvent: ({ event, data }) => {
      if (event === name) found.push(JSON.parse(data) as Record<string, unknown>);
    },
  });
  decoder.push(new TextEncoder().encode(text));
  decoder.end();
  return found;
}

describe("/api/jobs", () => {
  test("a job is followed to its end: its states, progress, log and result, for whoever comes later too", async () => {
    const id = await start({ kind: "hash" });
    const text = await follow(id);
    expect(eventsOf(text, "state").map(({ state }) => state)).toEqual(["queued", "running"]);
    expect(eventsOf(text, "progress").at(-1)).toMatchObject({ fraction: 1, percent: 100 });
    const csv = await readFile(join(demo.dataDir, "files", "squares.csv"));
    const sha256 = createHash("sha256").update(csv).digest("hex");
    expect(eventsOf(text, "log").map(({ text: line }) => line)).toContain(`${sha256.slice(0, 16)}…  squares.csv`);
    expect(eventsOf(text, "result")).toMatchObject([{ value: { files: 2 } }]);
    expect(eventsOf(text, "end")).toMatchObject([{ reason: "completed" }]);
    expect(eventsOf(await follow(id), "result")).toEqual(eventsOf(text, "result"));
    const source = new EventSource(jobUrl(id));
    const value = await new Promise((resolve, reject) => {
      source.addEventListener("result", ({ data }) => resolve(JSON.parse(data as string)));
      source.addEventListener("error", reject);
    });
    source.close();
    expect(value).toEqual(eventsOf(text, "result")[0]);
  });

  test("words are counted, in a text and in an upload", async () => {
    const counted = async (body: object): Promise<unknown> =>
      eventsOf(await follow(await start({ kind: "words", ...body })), "result")[0]?.["value"];
    expect(await counted({ text: "one two\nthree é" })).toEqual({ characters: 15, words: 4, lines: 1 });
    await writeFile(join(demo.dataDir, "uploads", "words.txt"), "one two\nthree é");
    expect(await counted({ file: "words.txt" })).toEqual({ characters: 15, words: 4, lines: 1 });
  });

  test("a job is cancelled, and tried again as a new one", async () => {
    const id = await start(ENDLESSLY);
    const exchange = await RawExchange.open(jobUrl(id), "GET");
    await exchange.until("event: progress");
    expect((await fetch(`${jobUrl(id)}/retry`, { method: "POST" })).status).toBe(409);
    expect((await cancel(id)).status).toBe(204);
    await exchange.until('"reason":"stopped"');
    exchange.socket.destroy();
    const retried = await fetch(`${jobUrl(id)}/retry`, { method: "POST" });
    expect(retried.status).toBe(202);
    const { id: again } = (await retried.json()) as { readonly id: string };
    expect(again).not.toBe(id);
    expect(await find(again)).toMatchObject({ retryOf: id, input: { folder: "files", bytesPerSecond: 200_000 } });
    await cancel(again);
    expect(eventsOf(await follow(again), "end")).toMatchObject([{ reason: "stopped" }]);
  });

  test.each([
    ["no JSON", "{", 400, undefined],
    ["no object", "[]", 422, "body"],
    ["an unknown kind", '{"kind":"mine"}', 422, "kind"],
    ["an unknown folder", '{"kind":"hash","folder":"/etc"}', 422, "folder"],
    ["a folder of Object", '{"kind":"hash","folder":"constructor"}', 422, "folder"],
    ["a negative speed", '{"kind":"hash","bytesPerSecond":-1}', 422, "bytesPerSecond"],
    ["a speed that is a text", '{"kind":"hash","bytesPerSecond":"1"}', 422, "bytesPerSecond"],
    ["an empty text", '{"kind":"words","text":""}', 422, "text"],
    ["no text", '{"kind":"words"}', 422, "text"],
    ["a text of 250,001 characters", JSON.stringify({ kind: "words", text: "x".repeat(250_001) }), 422, "text"],
    ["a file outside the folder", '{"kind":"words","file":"../streams.db"}', 422, "file"],
  ])("%s is refused", async (_what, body, status, field) => {
    const response = await fetch(`${demo.url}/api/jobs`, { method: "POST", body });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await response.json()) as Record<string, unknown>;
    expect([response.status, problem["field"]]).toEqual([status, field]);
  });

  test("a job that is not there is a 404, whatever is asked of it", async () => {
    for (const id of ["none", "..%2fstate", "x".repeat(200)]) {
      expect((await fetch(jobUrl(id))).status).toBe(404);
      expect((await cancel(id)).status).toBe(404);
      expect((await fetch(`${jobUrl(id)}/retry`, { method: "POST" })).status).toBe(404);
    }
  });

  test("30 jobs run two at a time, in the order in which they were started", async () => {
    // The limit and the order are those of one instance.
    const { url } = demo.instances[0]!;
    const slowIds = [await start(ENDLESSLY, url), await start(ENDLESSLY, url)];
    const ids: string[] = [];
    for (let index = 0; index < 28; index++) ids.push(await start({ kind: "words", text: `text ${index}` }, url));
    const waiting = (await list()).filter(({ state }) => state === "queued");
    expect(waiting.map(({ id }) => id)).toEqual(ids.toReversed()); // the newest first
    expect((await list()).filter(({ state }) => state === "running").map(({ id }) => id)).toEqual(slowIds.toReversed());
    await Promise.all(slowIds.map(cancel));
    await Promise.all(ids.map(follow));
    const jobs = (await list()).filter(({ id }) => ids.includes(id)).toReversed();
    expect(jobs.map(({ id, state }) => [id, state])).toEqual(ids.map((id) => [id, "completed"]));
    const starts = jobs.map(({ startedAtMs }) => startedAtMs!);
    expect(starts).toEqual(starts.toSorted((one, two) => one - two));
    // At the moment when one starts, at most one other has started and not ended.
    jobs.forEach((job, index) => {
      const others = jobs.slice(0, index).filter(({ endedAtMs }) => endedAtMs! > job.startedAtMs!);
      expect(others.length).toBeLessThanOrEqual(1);
    });
  });

  test("SIGKILL: a hash is carried on to the same result, and a count of words is interrupted", async () => {
    await writeFile(join(demo.dataDir, "uploads", "long.txt"), "word \n".repeat(20_000_000));
    const whole = eventsOf(await follow(await start({ kind: "hash" })), "result")[0]?.["value"];
    const { hash, ofHash, ofWords } = await hitHalfWay(
      async () => {
        const hash = await start(SLOWLY);
        const words = await start({ kind: "words", file: "long.txt" });
        const exchanges = await Promise.all([hash, words].map((id) => RawExchange.open(jobUrl(id), "GET")));
        await Promise.all(exchanges.map((exchange) => exchange.until("event: progress")));
        await demo.end("SIGKILL");
        for (const { socket } of exchanges) socket.destroy();
        await demo.start();
        const [ofHash, ofWords] = await Promise.all([follow(hash), follow(words)]);
        return { hash, ofHash, ofWords };
      },
      ({ ofHash, ofWords }) => ofHash.includes('"carriedOn":true') && eventsOf(ofWords, "result").length === 0,
    );
    expect(eventsOf(ofWords, "error")).toMatchObject([{ reason: "interrupted" }]);
    expect(eventsOf(ofHash, "end")).toMatchObject([{ reason: "completed" }]);
    expect(eventsOf(ofHash, "state")).toContainEqual(expect.objectContaining({ state: "queued", carriedOn: true }));
    expect(eventsOf(ofHash, "result")[0]?.["value"]).toEqual(whole);
    expect(await find(hash)).toMatchObject({ state: "completed", carriedOnCount: 1 });
  });
});

describe("/jobs", () => {
  // The page has a speed of its own, so it gets more to hash: the job has to run while it is looked at in many ways.
  beforeAll(async () => {
    const large = join(demo.dataDir, "files", "x-large.bin");
    await writeFile(large, "");
    await truncate(large, 200_000_000);
  });

  const first = (page: Page): ReturnType<Page["getByTestId"]> => page.getByTestId("job").first();
  const state = (page: Page): Promise<string | null> => first(page).getAttribute("data-state");

  test("a job is started by the keyboard, seen after a reload and in another tab, cancelled there, and started again", async () => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(`${demo.url}/jobs`);
      const before = await page.getByTestId("job").first().getAttribute("data-id");
      await page.getByTestId("start").focus();
      await page.keyboard.press("Enter");
      await expect.poll(() => first(page).getAttribute("data-id")).not.toBe(before);
      const id = await first(page).getAttribute("data-id");
      const bar = first(page).getByRole("progressbar", { name: "Hash the files in files, how far it is" });
      await expect.poll(async () => Number(await bar.getAttribute("value"))).toBeGreaterThan(0);
      await expect.poll(() => first(page).getByTestId("job-line").textContent()).toMatch(/\d+ %.* left/);
      await page.reload();
      const other = await context.newPage();
      await other.goto(`${demo.url}/jobs`);
      for (const each of [page, other]) {
        await expect.poll(() => first(each).getAttribute("data-id")).toBe(id);
        await expect.poll(() => state(each)).toBe("running");
      }
      await first(other).getByRole("button", { name: "Cancel: Hash the files in files" }).press("Enter");
      for (const each of [page, other]) await expect.poll(() => state(each)).toBe("stopped");
      await expect.poll(() => first(page).getByRole("status").textContent()).toBe("The job was stopped");
      await first(page).getByText("Log", { exact: true }).click();
      await expect.poll(() => first(page).getByTestId("job-lines").textContent()).toContain("README.md");
      await first(page).getByRole("button", { name: "Again: Hash the files in files" }).click();
      await expect.poll(() => first(page).getAttribute("data-id")).not.toBe(id);
      await first(page).getByTestId("cancel").click();
      await expect.poll(() => state(page)).toBe("stopped");
    } finally {
      await context.close();
    }
  });
});
