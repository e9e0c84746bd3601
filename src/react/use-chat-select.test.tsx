// @vitest-environment jsdom
import { act, memo, type ReactNode, useLayoutEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Chat } from "../client/chat.ts";
import { deltaOf, ScriptedChat, START } from "../client/scripted-chat.test-support.ts";
import { messageText } from "../wire/ui-message.ts";
import { useChatHandle, useChatMessage, useChatMessages, useChatSelector } from "./use-chat.ts";

const frames: (() => void)[] = [];
let root: Root;
let server: ScriptedChat;
let chat: Chat;
let commits: Map<string, number>;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
  root = createRoot(document.body.appendChild(document.createElement("div")));
  server = new ScriptedChat();
  commits = new Map();
});
afterEach(async () => {
  await act(async () => root.unmount());
  frames.length = 0;
  vi.unstubAllGlobals();
});

const count = (what: string): void => void commits.set(what, (commits.get(what) ?? 0) + 1);

const Message = memo(function Message({ of, id }: { readonly of: Chat; readonly id: string }): ReactNode {
  const message = useChatMessage(of, id);
  useLayoutEffect(() => count(id));
  return <p>{message === undefined ? "none" : messageText(message)}</p>;
});

function Page(): ReactNode {
  const held = useChatHandle({ id: "c", fetch: server.fetch, live: false });
  const ids = useChatMessages(held);
  const status = useChatSelector(held, (now) => now.status);
  useLayoutEffect(() => {
    chat = held;
    count("page");
  });
  return (
    <>
      {ids.map((id) => (
        <Message key={id} of={held} id={id} />
      ))}
      <i>{status}</i>
    </>
  );
}

const settle = async (): Promise<void> => act(async () => new Promise((resolve) => setTimeout(resolve, 0)));
const frame = async (): Promise<void> => act(async () => frames.splice(0).forEach((run) => run()));

describe("useChatMessage", () => {
  test("only the message that grows renders, and the list not at all", async () => {
    server.saved = Array.from({ length: 50 }, (_, index) => ({
      id: `m${index}`,
      role: index % 2 === 0 ? "user" : "assistant",
      parts: [{ type: "text", text: `text ${index}` }],
      ...(index % 2 === 0 ? {} : { end: { reason: "completed" } }),
    }));
    await act(async () => root.render(<Page />));
    await settle();
    expect(document.querySelectorAll("p")).toHaveLength(50);
    await act(async () => void chat.send("go"));
    await settle();
    server.emit(START);
    server.emit(deltaOf("one"));
    await settle();
    await frame();
    commits.clear();
    for (const word of [" two", " three", " four"]) {
      server.emit(deltaOf(word));
      await settle();
      await frame();
    }
    expect(Object.fromEntries(commits)).toEqual({ a1: 3 });
    expect(document.body.textContent).toContain("one two three four");
    server.emit({ type: "finish" });
    await settle();
    expect(Object.fromEntries(commits)).toEqual({ a1: 4, page: 1 });
    expect(document.querySelector("i")?.textContent).toBe("ready");
  });

  test("a look that finds nothing new renders nothing", async () => {
    server.saved = [{ id: "m", role: "assistant", parts: [], end: { reason: "completed" } }];
    await act(async () => root.render(<Page />));
    await settle();
    commits.clear();
    await act(async () => chat.refresh());
    await settle();
    expect(server.requests).toEqual(["GET /c/messages", "GET /c/messages"]);
    expect(commits.size).toBe(0);
  });
});
