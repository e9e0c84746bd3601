import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { text } from "../reply/rows.ts";
import type { UiChunk } from "../wire/ui-chunks.ts";
import type { ChatMessage } from "../wire/ui-message.ts";
import { MAX_TURNS } from "./conversations-turns.ts";
import type { Answerer } from "./conversations-types.ts";
import { Conversations } from "./conversations.ts";
import { textOf, uiMessageStream } from "./ui-message-stream.ts";

let streams: Streams;
let chats: Conversations;

beforeEach(() => {
  streams = new Streams({ store: memoryStore({ name: crypto.randomUUID() }) }, () => undefined);
  chats = new Conversations(streams);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await streams.close();
});

const user = (id: string, said: string): ChatMessage => ({ id, role: "user", parts: [{ type: "text", text: said }] });
const get = (headers: HeadersInit = {}): Request => new Request("http://test/", { headers });

/** Says back what it was asked, word for word. */
const echo: Answerer = async function* ({ messages }): AsyncGenerator<UiChunk> {
  const said = messages
    .map((message) => message.parts.map((part) => (part.type === "text" ? part.text : "")).join(""))
    .join("|");
  yield { type: "text-start", id: "t" };
  yield { type: "text-delta", id: "t", delta: said };
  yield { type: "text-end", id: "t" };
};

/** Says one word, then nothing until it is stopped. */
const waiting: Answerer = async function* ({ signal }): AsyncGenerator<UiChunk> {
  yield { type: "text-start", id: "t" };
  yield { type: "text-delta", id: "t", delta: "half" };
  await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
};

const failing: Answerer = async function* (): AsyncGenerator<UiChunk> {
  yield { type: "text-start", id: "t" };
  yield { type: "text-delta", id: "t", delta: "half" };
  throw new Error("secret");
};

const said = (messages: readonly ChatMessage[] | undefined): (readonly [string, string, string | undefined])[] =>
  (messages ?? []).map((message) => [
    message.role,
    message.parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    message.end?.reason,
  ]);

const datas = (body: string): string[] => [...body.matchAll(/^data: (.*)$/gm)].map((match) => match[1]!);

describe("Conversations", () => {
  test("keep the turns, and give each answer what was said before it", async () => {
    await (await chats.send({ id: "c", message: user("1", "a"), answer: echo })).ended();
    await (await chats.send({ id: "c", message: user("2", "b"), answer: echo })).ended();
    expect(said(await chats.messages("c"))).toEqual([
      ["user", "a", undefined],
      ["assistant", "a", "completed"],
      ["user", "b", undefined],
      ["assistant", "a|a|b", "completed"],
    ]);
  });

  test("answer a message once, however often and from wherever it is sent", async () => {
    const answer = vi.fn(echo);
    const other = new Conversations(streams);
    const runs = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        (index % 2 === 0 ? chats : other).send({ id: "c", message: user("1", "a"), answer }),
      ),
    );
    expect(new Set(runs.map((run) => run.name)).size).toBe(1);
    await runs[0]!.ended();
    await chats.send({ id: "c", message: user("1", "a"), answer });
    expect(answer).toHaveBeenCalledTimes(1);
    expect(await chats.messages("c")).toHaveLength(2);
  });

  test("keep both of two messages that are sent at once", async () => {
    await Promise.all([
      chats.send({ id: "c", message: user("1", "a"), answer: echo }),
      chats.send({ id: "c", message: user("2", "b"), answer: echo }),
    ]);
    await vi.waitFor(async () =>
      expect(said(await chats.messages("c")).filter(([, , end]) => end !== undefined)).toHaveLength(2),
    );
    expect(
      (await chats.messages("c"))!
        .filter((message) => message.role === "user")
        .map((message) => message.id)
        .toSorted(),
    ).toEqual(["1", "2"]);
  });

  test("a regeneration takes the place of the answer, and its history leaves the old one out", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined); // where the failing answer is reported
    await (await chats.send({ id: "c", message: user("1", "a"), answer: failing })).ended();
    expect(said(await chats.messages("c"))[1]).toEqual(["assistant", "half", "failed"]);
    await (await chats.send({ id: "c", message: user("1", "a"), answer: echo, isRegeneration: true })).ended();
    expect(said(await chats.messages("c"))).toEqual([
      ["user", "a", undefined],
      ["assistant", "a", "completed"],
    ]);
  });

  test("a new message stops the answer that is being written, and what it had said is kept", async () => {
    const first = await chats.send({ id: "c", message: user("1", "a"), answer: waiting });
    await vi.waitFor(async () => expect(said(await chats.messages("c"))[1]?.[1]).toBe("half"));
    await (await chats.send({ id: "c", message: user("2", "b"), answer: echo })).ended();
    expect(await first.ended()).toEqual({ reason: "stopped" });
    expect(said(await chats.messages("c"))[1]).toEqual(["assistant", "half", "stopped"]);
  });

  test("hold MAX_TURNS turns and not one more", async () => {
    const turn = (index: number): object => ({ message: user(String(index), "a"), answer: `answer/c/${index}` });
    await streams.append(
      "chat/c",
      Array.from({ length: MAX_TURNS - 1 }, (_, index) => turn(index)),
    );
    await (await chats.send({ id: "c", message: user("last", "a"), answer: echo })).ended();
    await expect(chats.send({ id: "c", message: user("too many", "a"), answer: echo })).rejects.toMatchObject({
      code: "limit_exceeded",
    });
    expect((await chats.send({ id: "c", message: user("last", "a"), answer: echo })).started).toBe(false);
  });

  test("say what is not there, and refuse ids that cannot be", async () => {
    expect(await chats.messages("none")).toBeUndefined();
    expect(await chats.latest("none")).toBeUndefined();
    expect(await chats.stop("none")).toBeUndefined();
    for (const id of ["", "a/b", "x".repeat(129), "a b", "ä"]) {
      await expect(chats.messages(id)).rejects.toMatchObject({ code: "input_invalid", details: { field: "id" } });
    }
    await expect(chats.messages("x".repeat(128))).resolves.toBeUndefined();
  });
});

describe("uiMessageStream()", () => {
  test("gives the version, a start with the id that every replay has, and always a terminal", async () => {
    const run = await chats.send({ id: "c", message: user("1", "a"), answer: echo });
    const response = await uiMessageStream(get(), run);
    expect(response.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
    const chunks = datas(await response.text());
    expect(JSON.parse(chunks[0]!)).toEqual({ type: "start", messageId: run.name });
    expect(JSON.parse(chunks.at(-2)!)).toEqual({ type: "finish" });
    expect(chunks.at(-1)).toBe("[DONE]");
    expect(datas(await (await uiMessageStream(get(), run)).text())).toEqual(chunks);
  });

  test.each([
    ["stopped", { type: "abort", reason: "stopped" }],
    ["failed", { type: "error", reason: "failed" }],
    ["interrupted", { type: "error", reason: "interrupted" }],
  ] as const)("tells the end %s by a chunk of its own", async (reason, chunk) => {
    await streams.append("s", [{ type: "start", messageId: "m" }], { end: { reason } });
    const chunks = datas(await (await uiMessageStream(get(), streams.follow<UiChunk>("s"))).text());
    expect(JSON.parse(chunks.at(-2)!)).toMatchObject(chunk);
    expect(chunks.at(-1)).toBe("[DONE]");
  });

  test("resumes behind any chunk, and is 204 behind the end", async () => {
    const run = await chats.send({ id: "c", message: user("1", "a"), answer: echo });
    const body = await (await uiMessageStream(get(), run)).text();
    const all = datas(body);
    const ids = [...body.matchAll(/^id: (.*)\ndata/gm)].map((match) => match[1]!);
    for (const [index, id] of ids.entries()) {
      const response = await uiMessageStream(get({ "last-event-id": id }), run);
      if (index === ids.length - 1) expect(response.status).toBe(204);
      else expect(datas(await response.text())).toEqual(all.slice(index + 1));
    }
  });

  test("tells a gap as a comment, which stock clients pass over, and gives the history from its start", async () => {
    await streams.append("s", [{ type: "start", messageId: "m" }, { type: "finish" }], {
      end: { reason: "completed" },
    });
    const body = await (
      await uiMessageStream(get({ "last-event-id": "9zzzzzzzzz" }), streams.follow<UiChunk>("s"))
    ).text();
    expect(body).toMatch(/^: gap \{/m);
    expect(datas(body)).toHaveLength(3);
  });

  test("textOf() gives the words alone, and a broken answer cuts the reply", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined); // where the failing answer is reported
    const run = await chats.send({ id: "c", message: user("1", "a"), answer: echo });
    expect(await text(get(), textOf(run)).text()).toBe("a");
    const broken = await chats.send({ id: "d", message: user("1", "a"), answer: failing });
    const reply = text(get(), textOf(broken), { onError: () => undefined });
    await expect(reply.text()).rejects.toMatchObject({ code: "source_failed" });
  });
});
