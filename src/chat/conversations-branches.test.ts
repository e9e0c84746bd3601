import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { type ChatMessage, messageText } from "../wire/ui-message.ts";
import { titleFrom } from "./conversations-index.ts";
import type { Answerer } from "./conversations-types.ts";
import { Conversations } from "./conversations.ts";

let streams: Streams;
let chats: Conversations;

beforeEach(() => {
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  chats = new Conversations(streams);
});
afterEach(() => streams.close());

const user = (id: string, text = id): ChatMessage => ({ id, role: "user", parts: [{ type: "text", text }] });
const texts = (messages: readonly ChatMessage[] | undefined): readonly string[] => (messages ?? []).map(messageText);

/** Says back what it was asked, word for word. */
const echo: Answerer = async function* ({ messages }): AsyncGenerator<UiChunk> {
  yield { type: "text-delta", id: "t", delta: `[${texts(messages).join(" ")}]` };
};

/** Calls a tool that asks first, and one that the page runs. */
const calling: Answerer = async function* (): AsyncGenerator<UiChunk> {
  yield { type: "tool-input-available", toolCallId: "1", toolName: "time", input: {} };
  yield { type: "tool-input-available", toolCallId: "2", toolName: "pay", input: { sum: 3 } };
  yield { type: "tool-approval-request", approvalId: "p", toolCallId: "2" };
};

type Further = Partial<Parameters<Conversations["send"]>[0]>;
const say = async (text: string, further: Further = {}): Promise<string> => {
  const run = await chats.send({ id: "c", message: user(text), answer: echo, ...further });
  await run.ended();
  return run.name;
};

describe("Conversations", () => {
  test("an edit and a regeneration make siblings, each path is read whole, and an answer sees its own path only", async () => {
    const first = await say("a");
    await say("b");
    const edited = await say("B", { replaces: "b" });
    const again = await say("a", { isRegeneration: true });
    expect(texts(await chats.messages("c"))).toEqual(["a", "[a]"]);
    expect(await chats.messages("c")).toMatchObject([
      { id: "a" },
      { branch: { index: 1, count: 2, previousId: first } },
    ]);
    const other = await chats.messages("c", { branch: first });
    expect(texts(other)).toEqual(["a", "[a]", "B", "[a [a] B]"]);
    expect(other?.map((message) => message.branch)).toEqual([
      undefined,
      { index: 0, count: 2, nextId: again },
      { index: 1, count: 2, previousId: "b" },
      undefined,
    ]);
    expect(texts(await chats.messages("c", { branch: "b" }))).toEqual(["a", "[a]", "b", "[a [a] b]"]);
    await say("on", { history: ["a", first, "B", edited] });
    expect(texts(await chats.messages("c"))).toEqual(["a", "[a]", "B", "[a [a] B]", "on", "[a [a] B [a [a] B] on]"]);
  });

  test("a key joins a regeneration that is sent again", async () => {
    await say("a");
    const names = await Promise.all([1, 2, 3].map(() => say("a", { isRegeneration: true, key: "k" })));
    expect(new Set(names).size).toBe(1);
    expect((await chats.messages("c"))![1]!.branch?.count).toBe(2);
  });

  test("page() goes back from the end of a path without doubling or losing a message", async () => {
    for (const text of ["a", "b", "c"]) await say(text);
    const all = await chats.messages("c");
    const back: string[] = [];
    let before: string | undefined;
    for (let pages = 0; pages < 10; pages++) {
      const page = (await chats.page("c", { before, count: 4 }))!;
      back.unshift(...page.messages.map((message) => message.id));
      before = page.before;
      if (before === undefined) break;
    }
    expect(back).toEqual(all!.map((message) => message.id));
    await expect(chats.page("c", { before: "none" })).rejects.toMatchObject({ code: "not_found" });
    await expect(chats.page("c", { branch: "none" })).rejects.toMatchObject({ code: "not_found" });
    await expect(chats.page("c", { count: 0 })).rejects.toMatchObject({ code: "input_invalid" });
    expect(await chats.page("none")).toBeUndefined();
  });

  test("continue() keeps what came of the tools, goes on once, and takes no other results afterwards", async () => {
    const waiting = await say("a", { answer: calling });
    const asked = (await chats.messages("c"))![1]!;
    const results = (output: string, approved: boolean | undefined): ChatMessage => ({
      ...asked,
      parts: [
        { type: "tool-time", toolCallId: "1", state: "output-available", output },
        { type: "tool-pay", toolCallId: "2", state: "approval-responded", approval: { id: "p", approved } },
      ],
    });
    const go = (message: ChatMessage): ReturnType<Conversations["continue"]> =>
      chats.continue({ id: "c", message, answer: echo });
    await expect(go(results("noon", undefined))).rejects.toMatchObject({ code: "input_invalid" });
    await expect(go({ ...asked, id: "none" })).rejects.toMatchObject({ code: "conflict" });
    const seen = vi.fn(echo);
    const run = await chats.continue({ id: "c", message: results("noon", true), answer: seen });
    await run.ended();
    expect((await go(results("noon", true))).name).toBe(run.name);
    await expect(go(results("midnight", true))).rejects.toMatchObject({ code: "conflict" });
    const parts = [
      { toolCallId: "1", state: "output-available", output: "noon" },
      { toolCallId: "2", state: "approval-responded", approval: { id: "p", approved: true } },
    ];
    expect(seen.mock.calls[0]![0].messages).toMatchObject([{ id: "a" }, { id: waiting, parts }]);
    expect(await chats.messages("c")).toMatchObject([{ id: "a" }, { id: waiting, parts }, { id: run.name }]);
  });

  test("followList() gives the last change and each one after it, and may come before the first conversation", async () => {
    const leave = new AbortController();
    const changes = (await chats.followList()).entries({ signal: leave.signal })[Symbol.asyncIterator]();
    const ids: string[] = [];
    const next = async (): Promise<void> => {
      const { value } = await changes.next();
      ids.push((value as { readonly value: { readonly id: string } }).value.id);
    };
    await say("hello", { id: "x" });
    await next();
    await chats.setTitle("x", "Named");
    await next();
    await say("hello", { id: "y" });
    await next();
    await chats.delete("x");
    await next();
    expect(ids).toEqual(["x", "x", "y", "x"]);
    leave.abort();
    const late = (await chats.followList()).entries({ signal: AbortSignal.timeout(60_000) })[Symbol.asyncIterator]();
    expect(await late.next()).toMatchObject({ value: { value: { id: "x", deleted: true } } });
    await late.return?.();
  });

  test("list() gives the newest first in pages, with titles that are made or set", async () => {
    for (const id of ["x", "y", "z"]) await say(`hello ${id}`, { id });
    await say("again", { id: "x" });
    expect(await chats.setTitle("y", "  Named  ")).toBe(true);
    expect(await chats.setTitle("none", "a")).toBe(false);
    const first = await chats.list({ count: 2 });
    expect(first.conversations.map(({ id, title }) => [id, title])).toEqual([
      ["y", "Named"],
      ["x", "hello x"],
    ]);
    const rest = await chats.list({ count: 2, before: first.before });
    expect(rest.conversations.map(({ id }) => id)).toEqual(["z"]);
    expect(rest.before).toBeUndefined();
    expect((await chats.page("y"))?.title).toBe("Named");
    for (const count of [0, 1001]) await expect(chats.list({ count })).rejects.toMatchObject({ code: "input_invalid" });
    await expect(chats.list({ before: "??" })).rejects.toMatchObject({ code: "input_invalid" });
    await expect(chats.setTitle("y", "x".repeat(201))).rejects.toMatchObject({ code: "input_invalid" });
    expect(await chats.setTitle("y", "x".repeat(200))).toBe(true);
  });

  test("list() finds everything behind many records of one conversation", async () => {
    await say("first", { id: "old" });
    for (let turn = 0; turn < 200; turn++) {
      await streams.append("chats", [
        { id: `n${turn % 2}`, title: "n", at: turn },
        { id: "n9", title: "n", at: turn },
      ]);
    }
    expect((await chats.list({ count: 10 })).conversations.map(({ id }) => id)).toEqual(["n9", "n1", "n0", "old"]);
  });

  test("delete() takes turns, answers and the place in the list, stops what runs, and can be made again", async () => {
    const first = await say("a");
    const running = await chats.send({
      id: "c",
      message: user("b"),
      answer: async function* ({ signal }): AsyncGenerator<UiChunk> {
        yield { type: "text-delta", id: "t", delta: "half" };
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      },
    });
    expect(await chats.delete("c")).toBe(true);
    expect(await chats.delete("c")).toBe(false);
    expect(await chats.messages("c")).toBeUndefined();
    for (const name of [first, running.name, "chat/c"]) expect(await streams.head(name)).toBeUndefined();
    expect((await chats.list()).conversations).toEqual([]);
  });

  test("export() gives all branches with their parents and ends", async () => {
    const first = await say("a");
    const again = await say("a", { isRegeneration: true });
    const edited = await say("A", { replaces: "a" });
    const document = (await chats.export("c"))!;
    expect(document).toMatchObject({ version: 1, id: "c", title: "a" });
    expect(document.messages.map(({ id, parentId, end }) => [id, parentId, end?.reason])).toEqual([
      ["a", null, undefined],
      [first, "a", "completed"],
      [again, "a", "completed"],
      ["A", null, undefined],
      [edited, "A", "completed"],
    ]);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(await chats.export("none")).toBeUndefined();
  });

  test("keepMs gives turns and answers their time to live, and without it they have none", async () => {
    const kept = await say("a");
    chats = new Conversations(streams, { keepMs: 60_000 });
    const name = await say("a", { id: "d" });
    // A stream that is there is made again only with the configuration that it has.
    for (const stream of ["chat/c", kept]) expect(await streams.create(stream)).toEqual({ created: false });
    for (const stream of ["chat/d", name]) {
      expect(await streams.create(stream, { ttlMs: 60_000 })).toEqual({ created: false });
      await expect(streams.create(stream)).rejects.toMatchObject({ code: "stream_exists" });
    }
  });
});

describe("titleFrom()", () => {
  test("cuts at a word, holds 60 characters and not one more, and never halves a pair", () => {
    expect(titleFrom(user("1", "  two\n words "))).toBe("two words");
    expect(titleFrom(user("1", "x".repeat(60)))).toBe("x".repeat(60));
    expect(titleFrom(user("1", "x".repeat(61)))).toBe(`${"x".repeat(59)}…`);
    expect(titleFrom(user("1", "word ".repeat(20)))).toBe(`${"word ".repeat(11).trim()}…`);
    expect(titleFrom(user("1", "😀".repeat(200))).isWellFormed()).toBe(true);
    expect(titleFrom(user("1", " "))).toBe("Conversation");
  });
});
