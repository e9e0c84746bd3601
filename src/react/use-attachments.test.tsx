// @vitest-environment jsdom
import { act, type ReactNode, useLayoutEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ScriptedChat } from "../client/scripted-chat.test-support.ts";
import { FakeXhr } from "../client/transfer-xhr.test-support.ts";
import { useAttachments, type UseAttachments, type UseAttachmentsOptions } from "./use-attachments.ts";
import { useChat, type UseChat } from "./use-chat.ts";

const frames: (() => void)[] = [];
let root: Root;
let server: ScriptedChat;
let attachments: UseAttachments;
let chat: UseChat;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
  vi.stubGlobal("XMLHttpRequest", FakeXhr);
  FakeXhr.all.length = 0;
  server = new ScriptedChat();
  root = createRoot(document.body.appendChild(document.createElement("div")));
});

afterEach(async () => {
  await act(async () => root.unmount());
  frames.length = 0;
  vi.unstubAllGlobals();
});

function onCommit(now: UseAttachments, of: UseChat): void {
  attachments = now;
  chat = of;
}

function View({ urlOf }: Pick<UseAttachmentsOptions, "urlOf">): ReactNode {
  const now = useAttachments("/up", { protocol: "raw", store: null, urlOf });
  const of = useChat({ id: "c", fetch: server.fetch, live: false });
  useLayoutEffect(() => onCommit(now, of));
  return null;
}

const step = async (run: () => void = () => undefined): Promise<void> => {
  await act(async () => run());
  await act(async () => new Promise((resolve) => setTimeout(resolve, 0)));
  await act(async () => frames.splice(0).forEach((go) => go()));
};
const upload = (...names: string[]): Promise<void> =>
  step(() => attachments.add(names.map((name) => new File(["0123456789"], name, { type: "image/png" }))));
const answer = (index: number, id: string): Promise<void> =>
  step(() => FakeXhr.all[index]?.answer(200, {}, JSON.stringify({ id, bytes: 10 })));

describe("useAttachments", () => {
  test("useAttachments() uploads while the reader writes, and gives what send() takes", async () => {
    await step(() => root.render(<View urlOf={({ id }) => `/files/${id}`} />));
    await step();
    expect(attachments).toMatchObject({ files: [], isPending: false });
    await upload("a.png", "b.png");
    expect(attachments).toMatchObject({ files: [], isPending: true });
    await answer(0, "1");
    const [first] = attachments.files;
    expect(attachments).toMatchObject({ isPending: true });
    expect(first).toEqual({ url: "/files/1", mediaType: "image/png", filename: "a.png" });
    await answer(1, "2");
    expect(attachments).toMatchObject({ isPending: false, files: [{ url: "/files/1" }, { url: "/files/2" }] });

    await step(() => void chat.send({ text: "Look", files: attachments.files }));
    await step(() => attachments.clear());
    expect(attachments).toMatchObject({ files: [], uploads: [], isPending: false });
    const body = JSON.parse(String(server.calls.find(({ method }) => method === "POST")?.body)) as {
      messages: { parts: unknown[] }[];
    };
    expect(body.messages[0]?.parts).toEqual([
      { type: "text", text: "Look" },
      { type: "file", url: "/files/1", mediaType: "image/png", filename: "a.png" },
      { type: "file", url: "/files/2", mediaType: "image/png", filename: "b.png" },
    ]);
  });

  test("clear() aborts what is on its way, and a file that has failed is not sent", async () => {
    await step(() => root.render(<View urlOf={({ id }) => `/files/${id}`} />));
    await upload("a.png", "b.png");
    await step(() => FakeXhr.all[0]?.answer(413));
    expect(attachments).toMatchObject({ files: [], isPending: true, uploads: [{ status: "failed" }, {}] });
    await step(() => attachments.clear());
    expect(attachments).toMatchObject({ files: [], uploads: [], isPending: false });
    expect(FakeXhr.all[1]?.isAborted).toBe(true);
  });
});
