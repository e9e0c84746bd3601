// @vitest-environment jsdom
import { act, type ReactNode, StrictMode, useLayoutEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { deltaOf, ScriptedChat, START } from "../client/scripted-chat.test-support.ts";
import { messageText } from "../wire/ui-message.ts";
import { useChat, type UseChat, type UseChatOptions } from "./use-chat.ts";

const frames: (() => void)[] = [];
let root: Root;
let server: ScriptedChat;
let shown: UseChat;
let renders = 0;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
  root = createRoot(document.body.appendChild(document.createElement("div")));
  server = new ScriptedChat();
});

afterEach(async () => {
  await act(async () => root.unmount());
  frames.length = 0;
  vi.unstubAllGlobals();
});

function onCommit(chat: UseChat): void {
  shown = chat;
  renders += 1;
}

function View(options: Partial<UseChatOptions>): ReactNode {
  const chat = useChat({ id: "c", fetch: server.fetch, live: false, ...options });
  useLayoutEffect(() => onCommit(chat));
  return (
    <>
      {chat.messages.map((message) => (
        <p key={message.id}>{messageText(message)}</p>
      ))}
    </>
  );
}

const settle = async (): Promise<void> => act(async () => new Promise((resolve) => setTimeout(resolve, 0)));
const frame = async (): Promise<void> => act(async () => frames.splice(0).forEach((run) => run()));
const mount = async (node: ReactNode): Promise<void> => {
  await act(async () => root.render(node));
  await settle();
};

describe("useChat", () => {
  test("useChat() loads, sends, streams with one render per frame, and stops on the server", async () => {
    await mount(<View />);
    expect(shown).toMatchObject({ status: "ready", messages: [], id: "c" });
    const { send } = shown;
    await act(async () => void send("Hello?"));
    await settle();
    expect(shown.status).toBe("submitted");
    expect(shown.send).toBe(send);
    server.emit(START);
    for (let index = 0; index < 50; index += 1) server.emit(deltaOf(`${index} `));
    renders = 0;
    await settle();
    expect(renders).toBe(0);
    await frame();
    expect([renders, shown.status]).toEqual([1, "streaming"]);
    expect(document.body.textContent).toContain("48 49");
    await act(async () => shown.stop());
    await settle();
    expect(shown).toMatchObject({ status: "ready", announcement: "Answer stopped" });
    expect(shown.messages[1]?.end).toEqual({ reason: "stopped" });
    expect([server.running, server.open]).toEqual([false, 0]);
  });

  test("useChat() in StrictMode loads once, follows once, and leaves the run alone when it unmounts", async () => {
    server.saved = [{ id: "u", role: "user", parts: [{ type: "text", text: "Q" }] }];
    server.begin();
    server.emit(START);
    server.emit(deltaOf("part"));
    await mount(
      <StrictMode>
        <View />
      </StrictMode>,
    );
    await frame();
    expect(server.requests).toEqual(["GET /c/messages", "GET /c/stream"]);
    expect(document.body.textContent).toContain("part");
    await act(async () => root.unmount());
    expect([server.open, server.running]).toEqual([0, true]);
  });

  test("useChat() with another id is another chat, and the two do not mix", async () => {
    await mount(<View />);
    await act(async () => void shown.send("one"));
    await settle();
    server.instead.set("GET /d/messages", [() => new Response(null, { status: 404 })]);
    await mount(<View id="d" />);
    expect(shown).toMatchObject({ id: "d", status: "ready", messages: [] });
    expect(server.open).toBe(0);
    server.emit(START);
    server.emit(deltaOf("lost"));
    await settle();
    await frame();
    expect(shown.messages).toEqual([]);
  });

  test("useChat() renders known messages on a server, without a request", () => {
    const initialMessages: UseChatOptions["initialMessages"] = [
      { id: "a", role: "assistant", parts: [{ type: "text", text: "known" }], end: { reason: "completed" } },
    ];
    expect(renderToString(<View initialMessages={initialMessages} />)).toBe("<p>known</p>");
    expect(server.requests).toEqual([]);
  });
});
