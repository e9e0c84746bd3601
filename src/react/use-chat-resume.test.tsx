// @vitest-environment jsdom
// A long answer in another tab: however long it is, and while it grows on, the page shows it in one commit.

import { type ReactNode, useState } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Conversations } from "../chat/conversations.ts";
import { uiMessageStream } from "../chat/ui-message-stream.ts";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { messageText } from "../wire/ui-message.ts";
import { useChat } from "./use-chat.ts";

const TOKEN_COUNT = 10_000;
const TOKEN = "word ";
const QUESTION = { id: "q", role: "user", parts: [{ type: "text", text: "Hello?" }] } as const;

let streams: Streams;
let conversations: Conversations;
let root: Root;
let page: HTMLElement;
/** Requests of the page, and how many bytes of events it was sent. */
let asked: string[];
let bytes: number;

beforeEach(async () => {
  // As a screen would call them, and no test sets them off by hand: what React commits is what is counted.
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => setTimeout(run, 16));
  vi.stubGlobal("cancelAnimationFrame", (timer: ReturnType<typeof setTimeout>) => clearTimeout(timer));
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  conversations = new Conversations(streams);
  page = document.body.appendChild(document.createElement("div"));
  root = createRoot(page);
  asked = [];
  bytes = 0;
});

afterEach(async () => {
  root.unmount();
  page.remove();
  await streams.close();
  vi.unstubAllGlobals();
});

/** Begins an answer, and waits until it has its 10,000 tokens. Then it stands still, or grows with each turn. */
async function begin(isGrowing: boolean): Promise<void> {
  await conversations.send({
    id: "c",
    message: QUESTION,
    async *answer({ signal }) {
      yield { type: "text-start", id: "t" };
      for (let index = 0; index < TOKEN_COUNT; index++) yield { type: "text-delta", id: "t", delta: TOKEN };
      while (!signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (isGrowing) yield { type: "text-delta", id: "t", delta: TOKEN };
      }
    },
  });
  for (;;) {
    const answer = (await conversations.messages("c"))?.[1];
    if (answer !== undefined && messageText(answer).length >= TOKEN_COUNT * TOKEN.length) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The server's routes; `saves`: whether the saved messages hold the unfinished answer. */
function serve(saves: boolean): (url: string | URL, init: RequestInit) => Promise<Response> {
  return async (url, { headers }) => {
    const request = new Request(new URL(url, "http://test"), { headers: new Headers(headers) });
    asked.push(String(url));
    if (String(url).includes("/stream")) {
      const response = await uiMessageStream(request, (await conversations.latest("c"))!);
      const counter = new TransformStream<Uint8Array, Uint8Array>({
        transform(part, controller) {
          bytes += part.length;
          controller.enqueue(part);
        },
      });
      return new Response(response.body!.pipeThrough(counter), response);
    }
    const saved = await conversations.page("c");
    return Response.json(saves ? saved : { ...saved, messages: saved?.messages.slice(0, 1) });
  };
}

function View({ saves }: { readonly saves: boolean }): ReactNode {
  const [fetch] = useState(() => serve(saves));
  const { messages, status } = useChat({ id: "c", fetch, live: false });
  return (
    <main data-status={status}>
      {messages.map((message) => (
        <p key={message.id} data-role={message.role}>
          {messageText(message)}
        </p>
      ))}
    </main>
  );
}

describe("useChat in another tab", () => {
  test.each([
    { isGrowing: false, saves: true },
    { isGrowing: true, saves: true },
    { isGrowing: false, saves: false },
    { isGrowing: true, saves: false },
  ])("a run of 10,000 tokens is shown in one commit: %o", { timeout: 60_000 }, async ({ isGrowing, saves }) => {
    await begin(isGrowing);
    const lengths: number[] = [];
    let holds = (): boolean => false;
    let resolve = (): void => undefined;
    const done = new Promise<void>((settle) => (resolve = settle));
    // A commit of React changes the page in one go, and an observer hears of it in one go.
    const observer = new MutationObserver(() => {
      const length = page.querySelector("[data-role=assistant]")?.textContent.length ?? 0;
      if (length !== (lengths.at(-1) ?? 0)) lengths.push(length);
      if (holds()) resolve();
    });
    observer.observe(page, { childList: true, subtree: true, characterData: true, attributes: true });
    const whole = TOKEN_COUNT * TOKEN.length;
    const isStreaming = (): boolean => page.querySelector("main")?.dataset["status"] === "streaming";
    // Where it grows, up to the second commit behind what was there.
    holds = () => isStreaming() && (isGrowing ? lengths.length >= 3 : lengths.length > 0);
    root.render(<View saves={saves} />);
    await done;
    observer.disconnect();
    expect(lengths[0]).toBeGreaterThanOrEqual(whole);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(asked).toEqual(["/api/chat/c/messages?count=100", "/api/chat/c/stream?prelude=1"]);
    if (isGrowing) return;
    expect(lengths).toEqual([whole]);
    // Token by token it would be ten times as much.
    expect(bytes).toBeLessThan(whole * 2);
  });
});
