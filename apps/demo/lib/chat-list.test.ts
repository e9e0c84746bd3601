import { describe, expect, test } from "vitest";
import { ChatList, type ListedChat } from "./chat-list.ts";

const chats = (count: number): ListedChat[] =>
  Array.from({ length: count }, (_, index) => ({ id: `c${index}`, title: `Chat ${index}`, at: 0 }));

/** A server that lists `saved`; what is asked for is kept. */
function setup(saved: ListedChat[]): {
  list: ChatList;
  asked: string[];
  server: { saved: ListedChat[]; fails: boolean };
} {
  const asked: string[] = [];
  const server = { saved, fails: false };
  const list = new ChatList(async (path, init) => {
    asked.push(`${init?.method ?? "GET"} ${path}`);
    if (server.fails) return Response.json({ detail: "It is full." }, { status: 507 });
    if (init?.method !== undefined) return new Response(null, { status: 204 });
    const count = Number(new URL(path, "http://a").searchParams.get("count"));
    const conversations = server.saved.slice(0, count);
    return Response.json(server.saved.length > count ? { conversations, before: "x" } : { conversations });
  });
  return { list, asked, server };
}

const titles = (list: ChatList): string[] => list.getSnapshot().chats.map(({ title }) => title);

describe("ChatList", () => {
  test("refresh() lists a page, more() one more, and what is asked for meanwhile is one more look", async () => {
    const { list, asked } = setup(chats(31));
    await Promise.all([list.refresh(), list.refresh(), list.refresh()]);
    expect(asked).toHaveLength(2);
    expect([titles(list).length, list.getSnapshot().hasMore]).toEqual([30, true]);
    await list.more();
    expect([titles(list).length, list.getSnapshot().hasMore]).toEqual([31, false]);
  });

  test("begin() puts a new conversation at the top once, until the server lists it", async () => {
    const { list, server } = setup(chats(1));
    await list.refresh();
    list.begin("new", `  ${"word ".repeat(20)}`);
    list.begin("c0", "known");
    expect(titles(list)).toHaveLength(2);
    expect(titles(list)[0]).toMatch(/^word word .*…$/);
    expect(titles(list)[0]!.length).toBeLessThanOrEqual(60);
    server.saved = [{ id: "new", title: "Named", at: 0 }, ...server.saved];
    await list.refresh();
    expect(titles(list)).toEqual(["Named", "Chat 0"]);
  });

  test("rename() and remove() are shown at once, and taken back when the server refuses", async () => {
    const { list, server, asked } = setup(chats(2));
    await list.refresh();
    server.fails = true;
    const renamed = list.rename("c0", "Other");
    expect(titles(list)[0]).toBe("Other");
    expect(await renamed).toBe("It is full.");
    expect(titles(list)[0]).toBe("Chat 0");
    const removed = list.remove("c1");
    expect(titles(list)).toEqual(["Chat 0"]);
    expect(await removed).toBe("It is full.");
    expect(titles(list)).toEqual(["Chat 0", "Chat 1"]);
    server.fails = false;
    expect(await list.remove("c1")).toBe("");
    expect(titles(list)).toEqual(["Chat 0"]);
    expect(asked).toContain("DELETE /api/chat/c1");
  });

  test("refresh() tells what went wrong and keeps what it has", async () => {
    const { list, server } = setup(chats(1));
    await list.refresh();
    server.fails = true;
    await list.refresh();
    expect(list.getSnapshot()).toMatchObject({ problem: "It is full.", chats: [{ id: "c0" }] });
  });
});
