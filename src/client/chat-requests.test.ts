import { describe, expect, test } from "vitest";
import { mergeSaved } from "./chat-messages.ts";
import { chatUrl, loadPage, MAX_MESSAGES_BYTES, placeOf } from "./chat-requests.ts";
import { scriptedFetch } from "./scripted-fetch.test-support.ts";
import { cursorHeader } from "./request.ts";

const { signal } = new AbortController();

describe("chatUrl", () => {
  test.each([
    ["/api/chat", "a", "/api/chat/a/stream"],
    ["/api/chat?v=1#x", "a/b?", "/api/chat/a%2Fb%3F/stream?v=1#x"],
    ["https://host/api", "ü", "https://host/api/%C3%BC/stream"],
  ])("chatUrl() of %s and %s", (api, id, url) => {
    expect(chatUrl({ api, id }, "stream")).toBe(url);
  });
});

describe("loadPage", () => {
  test("loadPage() reads a conversation of the limit, and one byte more not", async () => {
    const empty = JSON.stringify({ messages: [], pad: "" }).length;
    const sizes = [MAX_MESSAGES_BYTES, MAX_MESSAGES_BYTES + 1];
    const { fetch } = scriptedFetch((_, attempt) => {
      const pad = "x".repeat((sizes[attempt - 1] as number) - empty);
      return new Response(JSON.stringify({ messages: [], pad }));
    });
    const place = placeOf({ id: "c", fetch });
    expect((await loadPage(place, signal)).messages).toEqual([]);
    await expect(loadPage(place, signal)).rejects.toMatchObject({ code: "decode_failed" });
  });

  test.each([["[]"], ["null"], ["{}"], ['{"messages":[{"id":"a"}]}'], ["<p>login"]])(
    "loadPage() refuses %s",
    async (body) => {
      const { fetch } = scriptedFetch(() => new Response(body));
      await expect(loadPage(placeOf({ id: "c", fetch }), signal)).rejects.toMatchObject({ code: "decode_failed" });
    },
  );
});

describe("mergeSaved", () => {
  test("mergeSaved() keeps ends that only this page knows, and messages that the server did not take", () => {
    const end = { reason: "stopped" } as const;
    const local = [
      { id: "1", role: "assistant", parts: [], end },
      { id: "2", role: "user", parts: [], delivery: "failed" },
      { id: "3", role: "user", parts: [] },
    ] as const;
    const saved = [{ id: "1", role: "assistant", parts: [{ type: "text", text: "all" }] }] as const;
    expect(mergeSaved(local, saved)).toEqual([{ ...saved[0], end }, local[1]]);
    const known = { id: "1", role: "assistant", parts: [], end: { reason: "completed" } } as const;
    expect(mergeSaved(local, [known])[0]).toBe(known);
  });
});

describe("cursorHeader", () => {
  test("cursorHeader() writes UTF-8 bytes as Latin-1, and refuses what no header carries", () => {
    expect(cursorHeader("a\tbé")).toBe("a\tb\u00c3\u00a9");
    expect(() => new Headers({ "last-event-id": cursorHeader("…日本😀") })).not.toThrow();
    for (const bad of ["\u0000", "\n", "\u007f"]) expect(() => cursorHeader(bad)).toThrow(/control character/);
  });
});
