// What loading a conversation costs after so many turns, on a SQLite file: the whole path, which a model is given for each turn, and the
// page that a reader opens. Beside it stands what it costs to fold the same answers out of their tokens, which is how they are read once,
// and how all of them would be read each time if nothing were kept.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createStreams, type Streams } from "../dist/index.js";
import { Conversations, type UiChunk } from "../dist/chat.js";
import { emptyAnswer, foldChunk, type ChatMessage, type MessageChunk } from "../dist/client.js";
import { sqliteStore } from "../dist/sqlite.js";
import { type BenchResult, summarize } from "./result.ts";

const ROUNDS_COUNT = 21;
const CASES = [
  { turns: 30, tokens: 200 },
  { turns: 300, tokens: 20 },
  { turns: 300, tokens: 200 },
] as const;
/** What a page asks for. */
const PAGE_COUNT = 50;
/** How many answers are read at the same time, as conversations do it. */
const READS_COUNT = 16;

async function* chunksOf(name: string, tokens: number): AsyncGenerator<UiChunk> {
  yield { type: "start", messageId: name };
  yield { type: "text-start", id: "text-1" };
  for (let token = 0; token < tokens; token++) yield { type: "text-delta", id: "text-1", delta: ` word${token}` };
  yield { type: "text-end", id: "text-1" };
  yield { type: "finish", finishReason: "stop" };
}

/** Writes the turns as conversations do, without loading all of it for each. Gives the names of the answers. */
async function fill(streams: Streams, turns: number, tokens: number): Promise<readonly string[]> {
  const names: string[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const name = `answer/c/${turn}`;
    const parts = [{ type: "text", text: `Question ${turn}?` }];
    await streams.append("chat/c", [{ message: { id: `q${turn}`, role: "user", parts }, answer: name }]);
    await (await streams.run<UiChunk>(name, () => chunksOf(name, tokens))).ended();
    names.push(name);
  }
  return names;
}

/** Reads until every answer is kept: that is done behind the reader's back. */
async function keepAll(streams: Streams, conversations: Conversations, names: readonly string[]): Promise<void> {
  for (;;) {
    await conversations.messages("c");
    const heads = await Promise.all(names.map((name) => streams.head(`${name}/message.1`)));
    if (heads.every((head) => head !== undefined && head.tail !== head.start)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The answers out of their tokens, and the turns. */
async function foldAll(streams: Streams, names: readonly string[]): Promise<readonly ChatMessage[]> {
  await streams.read("chat/c");
  const messages: ChatMessage[] = [];
  for (let from = 0; from < names.length; from += READS_COUNT) {
    const some = names.slice(from, from + READS_COUNT).map(async (name) => {
      let answer = emptyAnswer(name);
      for (const { value } of (await streams.read<MessageChunk>(name)).entries) answer = foldChunk(answer, value);
      return answer.message;
    });
    messages.push(...(await Promise.all(some)));
  }
  return messages;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** `npm run bench -- conversation` */
export async function run(): Promise<BenchResult> {
  const rows = [];
  for (const { turns, tokens } of CASES) {
    const folder = await mkdtemp(join(tmpdir(), "tailrace-bench-"));
    const streams = createStreams({ store: sqliteStore(join(folder, "log.db")) });
    try {
      const conversations = new Conversations(streams);
      const names = await fill(streams, turns, tokens);
      await keepAll(streams, conversations, names);
      const contestants: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["out of the tokens", () => foldAll(streams, names)],
        ["whole path", () => conversations.messages("c")],
        [`last ${PAGE_COUNT}`, () => conversations.page("c", { count: PAGE_COUNT })],
      ];
      const times = new Map<string, number[]>(contestants.map(([name]) => [name, []]));
      for (let round = 0; round <= ROUNDS_COUNT; round++) {
        for (const [name, work] of contestants) {
          const ms = await timed(work);
          if (round > 0) times.get(name)!.push(ms);
        }
      }
      const cells = Object.fromEntries([...times].map(([name, rounds]) => [name, summarize(rounds)]));
      const ratio = cells["out of the tokens"]!.median / cells["whole path"]!.median;
      rows.push({ row: `${turns} turns of ${tokens} tokens`, cells, ratios: { "tokens/whole path": ratio } });
    } finally {
      await streams.close();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { name: "conversation", unit: "ms", rows };
}
