// A rolling deploy: SIGTERM to one instance after the other, behind nginx and under load, and nobody who reads is told more than the truth.

import { EventSource as StockEventSource } from "eventsource";
import { openStream, type StreamConnection, type StreamEnd } from "tailrace/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { kept, say, startJob } from "./cluster-exchange.ts";
import { BUSY_MS, Demo, type Shared } from "./demo.ts";
import { Model } from "./model.ts";

const SLOWLY = { kind: "hash", folder: "files", bytesPerSecond: 2_000_000 };
const SOON = { timeout: 90_000 };
const READER_COUNT = 10;
const PUBLISH_EVERY_MS = 20;
const WHOLE = Array.from({ length: 240 }, (_, index) => `wörd-${index}`).join(" ");

/** Publishes numbers, one after another, until it is told to stop. */
class Publisher {
  readonly acknowledged: number[] = [];
  readonly refused: string[] = [];
  readonly #url: string;
  #isOver = false;
  readonly #over: Promise<void>;

  constructor(url: string) {
    this.#url = url;
    this.#over = this.#publish();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#over;
  }

  async #publish(): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      const body = JSON.stringify({ title: String(number), body: "" });
      const response = await fetch(`${this.#url}/api/notifications`, { method: "POST", body }).catch(String);
      if (typeof response !== "string" && response.status === 201) this.acknowledged.push(number);
      else this.refused.push(typeof response === "string" ? response : `${response.status} ${await response.text()}`);
      if (typeof response !== "string" && !response.bodyUsed) await response.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, PUBLISH_EVERY_MS));
    }
  }
}

/** What a reader of the notifications has seen, by whichever client. */
interface Reader {
  readonly seen: readonly number[];
  /** What it was told besides. */
  readonly faults: readonly string[];
  /** How often it came back. */
  readonly attempts: () => number;
  close(): void;
}

const numberIn = (data: unknown): number => Number((data as { readonly title: string }).title);

async function ourReader(url: string): Promise<Reader> {
  const seen: number[] = [];
  const faults: string[] = [];
  let attempts = 0;
  const connected = Promise.withResolvers<void>();
  let isClosed = false;
  const stream = openStream(`${url}/api/events`, { minDelayMs: 50 });
  let before: string = stream.state.status;
  stream.subscribe(() => {
    const { status } = stream.state;
    if (status === "open" && before !== "open") attempts++;
    before = status;
  });
  const read = async (): Promise<void> => {
    for await (const { event, data } of stream) {
      if (event === "connected") connected.resolve();
      if (event === "notification") seen.push(numberIn(data));
    }
    if (!isClosed) faults.push(`it ended: ${JSON.stringify(stream.state)}`);
  };
  read().catch((error: unknown) => faults.push(String(error)));
  await connected.promise;
  const close = (): void => {
    isClosed = true;
    void stream[Symbol.asyncDispose]();
  };
  return { seen, faults, attempts: () => attempts, close };
}

async function stockReader(url: string): Promise<Reader> {
  const seen: number[] = [];
  const faults: string[] = [];
  let attempts = 0;
  const source = new StockEventSource(`${url}/api/events`);
  source.addEventListener("notification", ({ data }) => void seen.push(numberIn(JSON.parse(data as string))));
  source.addEventListener("open", () => void attempts++);
  // It says so each time that it comes back; given up is only what it closes.
  source.addEventListener("error", (event) => {
    if (source.readyState === source.CLOSED) faults.push(event.message ?? "closed");
  });
  await new Promise((resolve) => source.addEventListener("connected", resolve, { once: true }));
  return { seen, faults, attempts: () => attempts, close: () => source.close() };
}

describe.each<Shared>(["redis", "sqlite"])("a rolling deploy of instances that share %s", (shared) => {
  let model: Model;
  let demo: Demo;
  beforeAll(async () => {
    model = await Model.start();
    demo = await Demo.start({ OPENAI_BASE_URL: model.url }, shared);
  });
  afterAll(async () => {
    await demo?.remove();
    model.close();
  });

  /** Ends each instance in turn as a deploy does, and starts it again. */
  async function roll(): Promise<void> {
    for (const instance of demo.instances) {
      const { code, tookMs } = await instance.end("SIGTERM");
      expect([0, "SIGTERM", 143]).toContain(code);
      expect(tookMs).toBeLessThan(15_000 + BUSY_MS); // what the deploy files give it
      await instance.start();
    }
  }

  test("no reader sees an error, a gap or a duplicate; jobs are carried on, and answers end honestly", async () => {
    const readers = await Promise.all(
      Array.from({ length: READER_COUNT }, (_, at) => (at % 2 === 0 ? ourReader : stockReader)(demo.url)),
    );
    const publisher = new Publisher(demo.url);
    const jobs = await Promise.all(demo.instances.map(({ url }) => startJob(url, SLOWLY)));
    const followed = jobs.map((id) => follow(`${demo.url}/api/jobs/${id}`));
    model.upTo = 60; // so that they are certain to be met half-way
    const chats = await Promise.all(
      demo.instances.map(async ({ url }, at) => {
        const id = `chat-${at}`;
        void (await say(url, id, "slow")).text().catch(() => undefined);
        return { id, reader: follow(`${demo.url}/api/chat/${id}/stream`, isDone) };
      }),
    );
    for (const { reader } of chats) await expect.poll(() => reader.data.length, SOON).toBeGreaterThan(10);

    await roll();

    for (const { id, reader } of chats) {
      await reader.over;
      const [, answer] = await kept(demo.url, id);
      expect(answer!.end).toBe("interrupted");
      expect(WHOLE.startsWith(answer!.text)).toBe(true);
      expect(reader.text()).toBe(answer!.text);
    }
    for (const [at, reader] of followed.entries()) {
      expect(await reader.over).toMatchObject({ reason: "completed" });
      const logs = reader.items
        .filter(({ event }) => event === "log")
        .map(({ data }) => (data as { text: string }).text);
      expect(new Set(logs).size).toBe(logs.length);
      expect(logs).toHaveLength(2);
      expect(
        reader.items.map(({ id }) => id),
        jobs[at],
      ).toEqual([...new Set(reader.items.map(({ id }) => id))]);
    }
    await publisher.stop();
    const { acknowledged, refused } = publisher;
    for (const reader of readers) await expect.poll(() => reader.seen.at(-1), SOON).toBe(acknowledged.at(-1));
    for (const { seen, faults } of readers) {
      expect(faults).toEqual([]);
      expect(seen).toEqual(acknowledged);
    }
    // nginx may have just sent a POST on a connection that is being closed, and must not repeat it (RFC 9110, section 9.2.2): one at
    // each end of an instance, and nobody has seen it.
    expect(refused.filter((each) => !each.startsWith("502"))).toEqual([]);
    expect(refused.length).toBeLessThanOrEqual(demo.instances.length);
    for (const reader of readers) reader.close();
  });
});

describe("a rolling deploy under pages", () => {
  test("a page of notifications misses none, and a chat says that its answer was interrupted and goes on", async () => {
    const model = await Model.start();
    const [demo, browser] = await Promise.all([Demo.start({ OPENAI_BASE_URL: model.url }, "redis"), launch()]);
    try {
      const [live, chat] = [await browser.newPage(), await browser.newPage()];
      const faults: string[] = [];
      for (const page of [live, chat]) page.on("pageerror", ({ message }) => faults.push(message));
      await Promise.all([live.goto(`${demo.url}/live`), chat.goto(`${demo.url}/chat`)]);
      model.upTo = 60;
      await chat.getByTestId("composer").fill("slow");
      await chat.getByTestId("send").click();
      const answer = chat.locator('[data-testid="message"][data-role="assistant"]');
      const text = async (): Promise<string> => (await answer.last().getByTestId("message-text").textContent()) ?? "";
      await expect.poll(async () => (await answer.count()) > 0 && (await text()).length, SOON).toBeGreaterThan(20);
      const titles: string[] = [];
      const publish = async (title: string): Promise<void> => {
        const body = JSON.stringify({ title, body: "" });
        expect((await fetch(`${demo.url}/api/notifications`, { method: "POST", body })).status).toBe(201);
        titles.push(title);
      };
      for (const [at, instance] of demo.instances.entries()) {
        await publish(`before ${at}.`);
        await instance.end("SIGTERM");
        await publish(`between ${at}.`);
        await instance.start();
        await publish(`after ${at}.`);
      }
      const shown = (): Promise<string[]> => live.getByTestId("notification").allTextContents();
      for (const title of titles)
        await expect.poll(async () => (await shown()).filter((each) => each.includes(title)).length, SOON).toBe(1);
      await expect.poll(() => answer.last().getAttribute("data-end"), SOON).toBe("interrupted");
      expect(WHOLE.startsWith(await text())).toBe(true);
      await chat.getByTestId("composer").fill("quick");
      await chat.getByTestId("send").click();
      await expect.poll(() => answer.count(), SOON).toBe(2);
      await expect.poll(() => answer.last().getAttribute("data-end"), SOON).toBe("completed");
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
      await demo.remove();
      model.close();
    }
  });
});

interface Followed {
  readonly items: readonly { readonly event: string; readonly data: unknown; readonly id: string | undefined }[];
  readonly data: readonly unknown[];
  readonly over: Promise<StreamEnd | null>;
  /** The text of an answer. */
  text(): string;
}

const isDone = ({ data }: { readonly data: string }): StreamEnd | undefined =>
  data === "[DONE]" ? { reason: "completed" } : undefined;

/** Follows by our client until the stream has ended, however often the connection does. */
function follow(url: string, isEnd?: typeof isDone): Followed {
  const items: { event: string; data: unknown; id: string | undefined }[] = [];
  const stream: StreamConnection<unknown> = openStream(url, {
    minDelayMs: 50,
    ...(isEnd === undefined ? {} : { isEnd }),
  });
  const read = async (): Promise<StreamEnd | null> => {
    for await (const { event, data, id } of stream) items.push({ event, data, id });
    return stream.state.end;
  };
  const over = read();
  over.catch(() => undefined);
  return {
    items,
    over,
    get data() {
      return items.map(({ data }) => data);
    },
    text: () =>
      items
        .map(({ data }) => data as { readonly type?: string; readonly delta?: string })
        .map(({ type, delta }) => (type === "text-delta" ? delta : ""))
        .join(""),
  };
}
