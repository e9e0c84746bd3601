// What every chat must hold, wherever it runs: the rows are hosts, the columns are these tests. The stock packages are the judges.

import { DefaultChatTransport } from "ai";
import OpenAI, { APIError } from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Host } from "./hosts.ts";
import { chunksOf, datas, type Item, itemsIn, judged, lastId, seeded } from "./matrix-reading.ts";
import { PATIENCE, Row } from "./matrix-row.ts";
import { LONG, SHORT } from "./model-server.ts";
import { StockChat } from "./stock-chat.ts";

const WHOLE = SHORT.join("");
const HALF = SHORT.slice(0, 3).join("");
/** What the model does half-way, and what its reader is told of it. */
const CUTS: readonly (readonly [manner: string, told: RegExp])[] = [
  ["truncated", /was cut/],
  ["done", /was cut/],
  ["reset", /connection to the model/],
  ["broken", /takes no more requests/],
  ["garbled", /failed|broke|connection/],
];
/** What the model refuses, and what its reader is told of it. */
const REFUSALS: readonly (readonly [manner: string, told: RegExp])[] = [
  ["limited", /takes no more requests.*wait 120 s/],
  ["lengthy", /too long for the model/],
  ["filtered", /refused/],
];
/** What a row can do beyond the rest. */
export interface MatrixOptions {
  /** The ways of a model to fall silent that are noticed soon enough for a test. */
  readonly silences: readonly string[];
}

/** Defines the tests of one row. */
export function chatMatrix(name: string, start: (modelUrl: string) => Promise<Host>, options: MatrixOptions): void {
  // oxlint-disable-next-line vitest/valid-title -- the host's name is the title
  describe(name, () => {
    const row = new Row(start);
    const { open, send, whole, resumeAt, rest, saved, endsAs, stop, joinsAt } = row;
    beforeAll(() => row.begin());
    afterAll(() => row.end());
    beforeEach(() => row.next());
    afterEach(() => row.settle());

    test("an answer is the same for every client, and is kept", async () => {
      const chat = new StockChat({
        id: row.id,
        transport: new DefaultChatTransport({ api: `${row.host.one}/api/chat` }),
      });
      await chat.sendMessage({ text: "short" });
      expect([chat.status, chat.text]).toEqual(["ready", WHOLE]);
      expect(await saved()).toEqual([
        { role: "user", text: "short", end: undefined, told: undefined },
        { role: "assistant", text: WHOLE, end: "completed", told: undefined },
      ]);
      const client = new OpenAI({ baseURL: `${row.host.two}/v1`, apiKey: "any", maxRetries: 0 });
      const answer = await client.chat.completions.create({
        model: "m",
        messages: [{ role: "user", content: "short" }],
      });
      expect(answer.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: WHOLE } });
    });

    test("a cut at every byte of a short answer is joined without a doubled or missing chunk, from any process", async () => {
      const body = await whole("short");
      expect(await judged(body)).toMatchObject({ text: WHOLE, errors: 0 });
      const places = Array.from({ length: body.length + 1 }, (_, place) => place);
      await joinsAt(places, body, row.host.two, () => whole("short", row.host.two));
      await joinsAt(places, body, row.host.one, () => whole("short"));
    });

    test("seeded cuts of a long answer are joined, the dead and the living", async () => {
      const random = seeded(6);
      const sent = send("long");
      // While it is being written: read some of it through the other process, leave, and come back.
      await sent;
      const pieces: Item[] = [];
      for (let turn = 0; pieces.at(-1)?.data !== "[DONE]" && turn < 1_000; turn++) {
        const cursor = lastId(pieces);
        const bytes = 500 + Math.floor(random() * 4_000);
        if (cursor === undefined) {
          pieces.length = 0; // without a cursor it begins anew
          pieces.push(
            ...(await (await send("long", row.host.two)).until((reader) => reader.bytes.length > bytes)).items,
          );
          continue;
        }
        const reader = await open(resumeAt(row.host.two), { headers: { "last-event-id": cursor } });
        pieces.push(...(await reader.until(() => reader.bytes.length > bytes)).items);
        reader.leave();
      }
      const body = (await (await sent).until()).bytes;
      const all = chunksOf(itemsIn(body));
      expect(chunksOf(pieces)).toEqual(all);
      expect(await judged(body)).toMatchObject({ text: LONG.join(""), errors: 0 });
      const places = Array.from({ length: 60 }, () => Math.floor(random() * body.length));
      await joinsAt(places, body, row.host.two, () => whole("long", row.host.two));
    });

    test("a prelude folds to the same message, wherever it is cut", async () => {
      const body = await whole("short");
      const prelude = await whole("short", row.host.two, { "tailrace-prelude": "1" });
      expect(prelude.length).toBeLessThan(body.length);
      const [full, short] = await Promise.all([judged(body), judged(prelude)]);
      expect(short).toEqual(full);
      const end = lastId(itemsIn(prelude));
      for (let place = 0; place <= prelude.length; place++) {
        const cursor = lastId(itemsIn(prelude.subarray(0, place)));
        // Cut before its last chunk it is asked for again; that one's cursor stands for all of it.
        if (cursor !== undefined)
          expect(chunksOf(itemsIn(prelude.subarray(0, place)))).toEqual(chunksOf(itemsIn(prelude)));
      }
      expect(await rest(row.host.one, end!)).toEqual([]);
    });

    test("a resume while it is being written: replayed whole with the same id, behind a cursor, and with a prelude", async () => {
      const first = await (await send("held")).says(HALF);
      const replays = await Promise.all([open(resumeAt(row.host.one)), open(resumeAt(row.host.two))]);
      const prelude = await open(resumeAt(row.host.two), { headers: { "tailrace-prelude": "1" } });
      for (const reader of [...replays, prelude]) await reader.says(HALF);
      first.leave();
      const cursor = lastId(first.items)!;
      const behind = await open(resumeAt(row.host.two), { headers: { "last-event-id": cursor } });
      const chat = new StockChat({
        id: row.id,
        transport: new DefaultChatTransport({ api: `${row.host.two}/api/chat` }),
      });
      const resumed = chat.resumeStream();
      await chat.when(() => chat.text === HALF);
      row.model.release();
      await Promise.all([...replays, prelude, behind].map((reader) => reader.until()));
      await resumed;
      const [one, two, merged] = await Promise.all([...replays, prelude].map((reader) => judged(reader.bytes)));
      expect(one).toMatchObject({ text: WHOLE, errors: 0 });
      expect(two).toEqual(one);
      expect(merged).toEqual(one);
      expect([chat.status, chat.text, chat.lastMessage?.id]).toEqual(["ready", WHOLE, one!.id]);
      expect([...datas(first.items), ...datas(behind.items)]).toEqual(datas(replays[0].items));
    });

    test("sent again through the other process it joins, and the model is asked once", async () => {
      const before = row.model.asked.length;
      const readers = await Promise.all([send("held"), send("held", row.host.two), send("held")]);
      for (const reader of readers) await reader.says(HALF);
      row.model.release();
      for (const reader of readers) await reader.until();
      expect(datas(readers[1].items)).toEqual(datas(readers[0].items));
      expect(datas(readers[2].items)).toEqual(datas(readers[0].items));
      expect(row.model.asked.length).toBe(before + 1);
    });

    test("stop from the other process ends it for every reader, keeps its words, and ends the bill", async () => {
      const chat = new StockChat({
        id: row.id,
        transport: new DefaultChatTransport({ api: `${row.host.one}/api/chat` }),
      });
      let finish: unknown = "none";
      const sent = chat.sendMessage({ text: "held" });
      const other = new StockChat({
        id: row.id,
        transport: new DefaultChatTransport({ api: `${row.host.two}/api/chat` }),
        onFinish: ({ finishReason }) => (finish = finishReason),
      });
      await chat.when(() => chat.text === HALF);
      const second = other.resumeStream();
      await other.when(() => other.text === HALF);
      await stop(row.host.two);
      await Promise.all([sent, second]);
      await expect.poll(() => row.model.open, PATIENCE).toBe(0);
      expect([chat.text, other.text, finish]).toEqual([HALF, HALF, undefined]);
      expect((await saved()).at(-1)).toMatchObject({ text: HALF, end: "stopped" });
    });

    test.each(["silent", "mute"])("stop before the first token (%s) ends it as stopped", async (manner) => {
      const before = row.model.asked.length;
      const reader = await send(manner);
      await expect.poll(() => row.model.asked.length, PATIENCE).toBe(before + 1);
      await stop(row.host.two);
      await reader.until();
      expect(chunksOf(reader.items).at(-1)).toMatchObject({ type: "abort" });
      await expect.poll(() => row.model.open, PATIENCE).toBe(0);
      expect((await saved()).at(-1)).toMatchObject({ text: "", end: "stopped" });
    });

    test("a reader that leaves does not end it", async () => {
      const reader = await (await send("held")).says(HALF);
      reader.leave();
      row.model.release();
      await endsAs("completed");
      expect((await saved()).at(-1)?.text).toBe(WHOLE);
    });

    test("the death of its process ends it as interrupted, with its words, and the next message works", async () => {
      const reader = await (await send("held")).says(HALF);
      const other = row.host.one === row.host.two ? undefined : await (await open(resumeAt(row.host.two))).says(HALF);
      const died = reader.until().catch(() => undefined);
      await row.host.crash();
      await died;
      await endsAs("interrupted");
      expect((await saved()).at(-1)?.text).toBe(HALF);
      if (other !== undefined) {
        await other.until();
        expect(chunksOf(other.items).at(-1)).toMatchObject({ type: "error", reason: "interrupted" });
        expect(await judged(other.bytes)).toMatchObject({ text: HALF, errors: 1 });
      }
      expect((await judged(reader.bytes)).text).toBe(HALF);
      const next = await send("short");
      expect(await judged((await next.until()).bytes)).toMatchObject({ text: WHOLE, errors: 0 });
    });

    test.each(CUTS)(
      "a model that breaks off (%s) is a failed answer everywhere, with its words",
      async (manner, told) => {
        let isError: boolean | undefined;
        const chat = new StockChat({
          id: row.id,
          transport: new DefaultChatTransport({ api: `${row.host.one}/api/chat` }),
          onFinish: (how) => (isError = how.isError && how.finishReason === undefined),
        });
        await chat.sendMessage({ text: manner });
        expect([chat.status, chat.text, isError]).toEqual(["error", HALF, true]);
        expect(chat.error?.message).toMatch(told);
        const last = (await saved()).at(-1);
        expect(last).toMatchObject({ text: HALF, end: "failed" });
        expect(last?.told).toMatch(told);
        const client = new OpenAI({ baseURL: `${row.host.two}/v1`, apiKey: "any", maxRetries: 0 });
        const ask = { model: "m", messages: [{ role: "user" as const, content: manner }] };
        await expect(client.chat.completions.create(ask)).rejects.toBeInstanceOf(APIError);
        const finishes: unknown[] = [];
        const read = async (): Promise<void> => {
          for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
            finishes.push(chunk.choices[0]?.finish_reason);
          }
        };
        await expect(read()).rejects.toBeInstanceOf(APIError);
        expect(finishes.length).toBeGreaterThan(1);
        expect(finishes.filter((finish) => finish !== null)).toEqual([]);
      },
    );

    test.each(REFUSALS)("a model that refuses (%s) is a failed answer that says why", async (manner, told) => {
      const before = row.model.asked.length;
      const chunks = chunksOf(itemsIn(await whole(manner)));
      expect(chunks.at(-1)).toMatchObject({ type: "error", errorText: expect.stringMatching(told) });
      expect(JSON.stringify(chunks)).not.toContain("secret");
      expect((await saved()).at(-1)).toMatchObject({ text: "", end: "failed" });
      expect(row.model.asked.length).toBe(before + 1); // another attempt would not help
    });

    test.each(["pings", "split"])("what is between the words (%s) does not matter", async (manner) => {
      expect(await judged(await whole(manner))).toMatchObject({ text: WHOLE, errors: 0 });
      expect((await saved()).at(-1)).toMatchObject({ text: WHOLE, end: "completed" });
    });

    test("a model that is busy is asked again before its first token, and nothing is told twice", async () => {
      const before = row.model.asked.length;
      expect(await judged(await whole(`busy ${row.id} ${name}`))).toMatchObject({ text: WHOLE, errors: 0 });
      expect(row.model.asked.length).toBe(before + 3);
    });

    test.each(options.silences)(
      "a model that falls silent (%s) is a failed answer, and is left alone",
      async (manner) => {
        const chunks = chunksOf(itemsIn(await whole(manner)));
        expect(chunks.at(-1)).toMatchObject({ type: "error", errorText: expect.stringMatching(/said nothing more/) });
        await expect.poll(() => row.model.open, PATIENCE).toBe(0);
        expect((await saved()).at(-1)).toMatchObject({ text: HALF, end: "failed" });
      },
    );
  });
}
