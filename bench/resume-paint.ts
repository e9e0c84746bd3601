// A long answer in another tab: how long after the first byte of its response the page has painted all of it, and in how many commits.
// The demo's own chat, and the AI SDK's hook with our transport and with its own. Run: node bench/resume-paint.ts

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { launch } from "../test/e2e/browser.ts";
import { Demo } from "../test/e2e/demo.ts";
import { tokensOf } from "./chat-page/answer.ts";
import { type BenchResult, printResult, summarize } from "./result.ts";

const TOKEN_COUNT = 10_000;
const ROUNDS = 7;
/** How often a growing answer grows. */
const GROWTH_MS = 10;
/** When a page that was not told the length counts as done. */
const STILL_MS = 1_500;

const OURS = "ours: useChat";
const PAGES: Readonly<Record<string, string>> = {
  [OURS]: "/chat?",
  "AI SDK's hook, TailraceChatTransport": "/chat/ai-sdk?transport=tailrace&",
  "AI SDK's hook, its own transport": "/chat/ai-sdk?transport=default&",
};

/** A model that has said 10,000 tokens at once, and then stands still, or goes on with a token every 10 ms. */
async function startModel(): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const part of request.setEncoding("utf8")) body += part as string;
      response.writeHead(200, { "content-type": "text/event-stream" });
      const write = (content: string): boolean =>
        response.write(`data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta: { content } }] })}\n\n`);
      for (const token of tokensOf(TOKEN_COUNT)) if (!write(token)) await once(response, "drain");
      while (!response.destroyed) {
        await new Promise((resolve) => setTimeout(resolve, GROWTH_MS));
        if (body.includes("growing")) write("more ");
      }
    })().catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, server };
}

/** What a page notes of itself. Runs in the page. */
interface Notes {
  /** When the text of the answer became another one, and how long it then was. */
  readonly commits: { readonly at: number; readonly length: number }[];
  /** When what was committed last had been painted. */
  readonly paints: { readonly at: number; readonly length: number }[];
}

function watchPage(): void {
  const notes: Notes = { commits: [], paints: [] };
  (window as unknown as { notes: Notes }).notes = notes;
  let before = 0;
  new MutationObserver(() => {
    const texts = document.querySelectorAll<HTMLElement>('[data-role="assistant"] [data-testid="message-text"]');
    const last = texts.item(texts.length - 1) as HTMLElement | null;
    const length = Number(last?.dataset["length"] ?? last?.textContent.length ?? 0);
    if (length === before) return;
    before = length;
    notes.commits.push({ at: performance.now(), length });
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = (): unknown => notes.paints.push({ at: performance.now(), length });
      port2.postMessage(undefined);
    });
  }).observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
}

interface Figures {
  /** From the first byte of the response that brought the answer. */
  readonly paintMs: number;
  readonly commits: number;
  /** Bytes of that response until the answer was there. */
  readonly kib: number;
}

/** @param wanted the length of the whole answer; without it: until the page changes no more */
async function join(browser: Browser, url: string, wanted: number | undefined): Promise<Figures> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Performance.enable", { timeDomain: "timeTicks" });
    const urls = new Map<string, string>();
    // The same clock as `NavigationStart`, in seconds.
    const firstBytes: { readonly path: string; readonly at: number }[] = [];
    let bytes = 0;
    session.on("Network.responseReceived", ({ requestId, response, timestamp }) => {
      const { pathname } = new URL(response.url);
      urls.set(requestId, pathname);
      const { timing } = response;
      const at = timing === undefined ? timestamp : timing.requestTime + timing.receiveHeadersEnd / 1_000;
      if (/\/(stream|messages)$/.test(pathname)) firstBytes.push({ path: pathname.replace(/.*\//, ""), at });
    });
    session.on("Network.dataReceived", ({ requestId, dataLength }) => {
      if (urls.get(requestId)?.endsWith("/stream") === true) bytes += dataLength;
    });
    await page.addInitScript(watchPage);
    await page.goto(url);
    await page.waitForFunction(
      ({ wanted, stillMs }) => {
        const { commits, paints } = (window as unknown as { notes: Notes }).notes;
        const last = paints.at(-1);
        if (wanted !== undefined) return paints.some((paint) => paint.length >= wanted);
        // Drawn again and again on the way: it is whole when nothing changes any more.
        return last !== undefined && last.length === commits.at(-1)?.length && performance.now() - last.at > stillMs;
      },
      { wanted, stillMs: STILL_MS },
      { timeout: 120_000 },
    );
    const kib = bytes / 1_024;
    const { metrics } = await session.send("Performance.getMetrics");
    const start = metrics.find(({ name }) => name === "NavigationStart")!.value;
    const notes = await page.evaluate(() => (window as unknown as { notes: Notes }).notes);
    const length = wanted ?? notes.commits.at(-1)!.length;
    const whole =
      wanted === undefined ? notes.commits.length - 1 : notes.commits.findIndex((commit) => commit.length >= length);
    const painted = notes.paints.find((paint) => paint.at >= notes.commits[whole]!.at && paint.length >= length)!.at;
    const inPage = firstBytes.map(({ at }) => (at - start) * 1_000);
    // The commit belongs to the response that came last before it.
    const committedAt = notes.commits[0]!.at;
    const from = inPage.filter((at) => at <= committedAt).at(-1) ?? Number.NaN;
    return { paintMs: painted - from, commits: whole + 1, kib };
  } finally {
    await context.close();
  }
}

/** Starts an answer and waits until it is as long as it has to be. */
async function begin(demo: Demo, words: string, length: number): Promise<string> {
  const id = crypto.randomUUID();
  const leave = new AbortController();
  const message = { id: "q", role: "user", parts: [{ type: "text", text: words }] };
  const response = await fetch(`${demo.url}/api/chat`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, messages: [message], trigger: "submit-message" }),
    signal: leave.signal,
  });
  if (!response.ok) throw new Error(`The demo answered ${response.status}.`);
  leave.abort();
  for (;;) {
    const page = (await (await fetch(`${demo.url}/api/chat/${id}/messages`)).json()) as {
      messages: { parts: { text?: string }[] }[];
    };
    if ((page.messages[1]?.parts ?? []).reduce((sum, part) => sum + (part.text?.length ?? 0), 0) >= length) return id;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Runs the benchmark. */
export async function run(): Promise<BenchResult> {
  const { url, server } = await startModel();
  const length = tokensOf(TOKEN_COUNT).join("").length;
  let demo: Demo | undefined;
  let browser: Browser | undefined;
  try {
    [demo, browser] = await Promise.all([Demo.start({ OPENAI_BASE_URL: url }), launch()]);
    const figures = new Map<string, Figures[]>();
    for (const state of ["standing still", "growing"]) {
      const id = await begin(demo, state, length);
      for (let round = -1; round < ROUNDS; round++) {
        for (const [name, path] of Object.entries(PAGES)) {
          // Only our page says how long its text is, without the marks of its Markdown.
          if (name !== OURS && state === "growing") continue;
          const row = `${state} | ${name}`;
          const found = await join(browser, `${demo.url}${path}id=${id}`, name === OURS ? length : undefined);
          if (round >= 0) figures.set(row, [...(figures.get(row) ?? []), found]);
        }
      }
      await fetch(`${demo.url}/api/chat/${id}/stop`, { method: "POST" });
    }
    return {
      name: "resume",
      unit: "ms from the first byte of the response to the painted answer; commits; KiB of that response",
      rows: [...figures].map(([row, all]) => ({
        row,
        cells: {
          "painted after": summarize(all.map((each) => each.paintMs)),
          commits: summarize(all.map((each) => each.commits)),
          KiB: summarize(all.map((each) => each.kib)),
        },
        ratios: {},
      })),
    };
  } finally {
    await browser?.close();
    await demo?.remove();
    server.closeAllConnections();
    server.close();
  }
}

if (import.meta.main) printResult(await run());
