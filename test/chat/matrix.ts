// What every chat must hold, wherever it runs: the rows are hosts, the columns are these tests. The stock packages are the judges.

import { DefaultChatTransport } from "ai";
import OpenAI, { APIError } from "openai";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Host } from "./hosts.ts";
import { chunksOf, datas, type Item, itemsIn, judged, lastId, Reader, seeded } from "./matrix-reading.ts";
import { LONG, ModelServer, SHORT } from "./model-server.ts";
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
const PATIENCE = { timeout: 30_000 };

interface Saved {
  readonly role: string;
  readonly text: string;
  readonly end: string | undefined;
  readonly told: string | undefined;
}

/** What a row can do beyond the rest. */
export interface MatrixOptions {
  /** Whether the model's silence is noticed soon enough for a test. */
  readonly noticesSilence: boolean;
}

/** Defines the tests of one row. */
export function chatMatrix(name: string, start: (modelUrl: string) => Promise<Host>, options: MatrixOptions): void {
  // oxlint-disable-next-line vitest/valid-title -- the host's name is the title
  describe(name, { timeout: 60_000 }, () => {
    let model: ModelServer;
    let host: Host;
    let id: string;
    let count = 0;
    let readers: Reader[];

    beforeAll(async () => {
      model = await ModelServer.start();
      host = await start(model.url);
    }, 60_000);
    afterAll(async () => {
      await host?.end();
      await model.close();
    });
    beforeEach(() => {
      id = `c${++count}`;
      readers = [];
    });
    afterEach(async () => {
      for (const reader of readers) reader.leave();
      await expect.poll(() => model.open, PATIENCE).toBe(0);
    });

    async function open(url: string, init: RequestInit = {}): Promise<Reader> {
      const controller = new AbortController();
      const response = await fetch(url, { ...init, signal: controller.signal });
      expect(response.status).toBe(200);
      const reader = new Reader(response, controller);
      readers.push(reader);
      return reader;
    }

    function send(text: string, base = host.one, headers: Readonly<Record<string, string>> = {}): Promise<Reader> {
      const message = { id: `q-${text}`, role: "user", parts: [{ type: "text", text }] };
      const body = JSON.stringify({ id, trigger: "submit-message", messages: [message] });
      return open(`${base}/api/chat`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
      });
    }

    /** The whole body of an answer, which is as long as it is. */
    const whole = async (text: string, ...where: [base?: string, headers?: Readonly<Record<string, string>>]) =>
      (await (await send(text, ...where)).until()).bytes;

    const resumeAt = (base: string): string => `${base}/api/chat/${id}/stream`;

    /** What is missing behind `cursor`; nothing behind the end. */
    async function rest(base: string, cursor: string): Promise<readonly Item[]> {
      const response = await fetch(resumeAt(base), { headers: { "last-event-id": cursor } });
      if (response.status === 204) return [];
      expect(response.status).toBe(200);
      return itemsIn(await response.bytes());
    }

    async function saved(base = host.two): Promise<readonly Saved[]> {
      const response = await fetch(`${base}/api/chat/${id}/messages`);
      const { messages } = (await response.json()) as {
        messages: { role: string; parts: { text?: string }[]; end?: { reason: string; message?: string } }[];
      };
      return messages.map(({ role, parts, end }) => ({
        role,
        text: parts.map((part) => part.text ?? "").join(""),
        end: end?.reason,
        told: end?.message,
      }));
    }

    const endsAs = (reason: string): Promise<void> =>
      expect.poll(async () => (await saved()).at(-1)?.end, PATIENCE).toBe(reason);

    async function stop(base: string): Promise<void> {
      expect((await fetch(`${base}/api/chat/${id}/stop`, { method: "POST" })).status).toBe(204);
    }

    /** Cuts `body` at each of the places, and joins what came before with what a return gives. */
    async function joinsAt(
      places: Iterable<number>,
      body: Uint8Array,
      base: string,
      again: () => Promise<Uint8Array>,
    ): Promise<void> {
      const all = datas(itemsIn(body));
      const rests = new Map<string, readonly string[]>();
      let anew: readonly string[] | undefined;
      for (const place of places) {
        const before = itemsIn(body.subarray(0, place));
        const cursor = lastId(before);
        if (cursor === undefined) {
          // Without a cursor it is sent again, and joins the same answer from its start.
          anew ??= datas(itemsIn(await again()));
          expect(anew).toEqual(all);
          continue;
        }
        let behind = rests.get(cursor);
        if (behind === undefined) rests.set(cursor, (behind = datas(await rest(base, cursor))));
        // Behind the end there is nothing, and the last mark is not worth a reply.
        const joined = [...datas(before), ...behind];
        expect(
          joined.filter((data) => data !== "[DONE]"),
          `cut at byte ${place}`,
        ).toEqual(all.slice(0, -1));
      }
      expect(rests.size).toBeGreaterThan(1);
    }

    test("an answer is the same for every client, and is kept", async () => {
      const chat = new StockChat({ id, transport: new DefaultChatTransport({ api: `${host.one}/api/chat` }) });
      await chat.sendMessage({ text: "short" });
      expect([chat.status, chat.text]).toEqual(["ready", WHOLE]);
      expect(await saved()).toEqual([
        { role: "user", text: "short", end: undefined, told: undefined },
        { role: "assistant", text: WHOLE, end: "completed", told: undefined },
      ]);
      const client = new OpenAI({ baseURL: `${host.two}/v1`, apiKey: "any", maxRetries: 0 });
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
      await joinsAt(places, body, host.two, () => whole("short", host.two));
      await joinsAt(places, body, host.one, () => whole("short"));
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
          pieces.push(...(await (await send("long", host.two)).until((reader) => reader.bytes.length > bytes)).items);
          continue;
        }
        const response = await fetch(resumeAt(host.two), { headers: { "last-event-id": cursor } });
        if (response.status === 204) break;
        const reader = new Reader(response, new AbortController());
        pieces.push(...(await reader.until(() => reader.bytes.length > bytes)).items);
        await response.body?.cancel().catch(() => undefined);
      }
      const body = (await (await sent).until()).bytes;
      const all = chunksOf(itemsIn(body));
      expect(chunksOf(pieces)).toEqual(all);
      expect(await judged(body)).toMatchObject({ text: LONG.join(""), errors: 0 });
      const places = Array.from({ length: 60 }, () => Math.floor(random() * body.length));
      await joinsAt(places, body, host.two, () => whole("long", host.two));
    });

    test("a prelude folds to the same message, wherever it is cut", async () => {
      const body = await whole("short");
      const prelude = await whole("short", host.two, { "tailrace-prelude": "1" });
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
      expect(await rest(host.one, end!)).toEqual([]);
    });

    test("a resume while it is being written: replayed whole with the same id, behind a cursor, and with a prelude", async () => {
      const first = await (await send("held")).says(HALF);
      const replays = await Promise.all([open(resumeAt(host.one)), open(resumeAt(host.two))]);
      const prelude = await open(resumeAt(host.two), { headers: { "tailrace-prelude": "1" } });
      for (const reader of [...replays, prelude]) await reader.says(HALF);
      first.leave();
      const cursor = lastId(first.items)!;
      const behind = await open(resumeAt(host.two), { headers: { "last-event-id": cursor } });
      const chat = new StockChat({ id, transport: new DefaultChatTransport({ api: `${host.two}/api/chat` }) });
      const resumed = chat.resumeStream();
      await chat.when(() => chat.text === HALF);
      model.release();
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
      const before = model.asked.length;
      const readers = await Promise.all([send("held"), send("held", host.two), send("held")]);
      for (const reader of readers) await reader.says(HALF);
      model.release();
      for (const reader of readers) await reader.until();
      expect(datas(readers[1].items)).toEqual(datas(readers[0].items));
      expect(datas(readers[2].items)).toEqual(datas(readers[0].items));
      expect(model.asked.length).toBe(before + 1);
    });

    test("stop from the other process ends it for every reader, keeps its words, and ends the bill", async () => {
      const chat = new StockChat({ id, transport: new DefaultChatTransport({ api: `${host.one}/api/chat` }) });
      let finish: unknown = "none";
      const sent = chat.sendMessage({ text: "held" });
      const other = new StockChat({
        id,
        transport: new DefaultChatTransport({ api: `${host.two}/api/chat` }),
        onFinish: ({ finishReason }) => (finish = finishReason),
      });
      await chat.when(() => chat.text === HALF);
      const second = other.resumeStream();
      await other.when(() => other.text === HALF);
      await stop(host.two);
      await Promise.all([sent, second]);
      await expect.poll(() => model.open, PATIENCE).toBe(0);
      expect([chat.text, other.text, finish]).toEqual([HALF, HALF, undefined]);
      expect((await saved()).at(-1)).toMatchObject({ text: HALF, end: "stopped" });
    });

    test.each(["silent", "mute"])("stop before the first token (%s) ends it as stopped", async (manner) => {
      const before = model.asked.length;
      const reader = await send(manner);
      await expect.poll(() => model.asked.length, PATIENCE).toBe(before + 1);
      await stop(host.two);
      await reader.until();
      expect(chunksOf(reader.items).at(-1)).toMatchObject({ type: "abort" });
      await expect.poll(() => model.open, PATIENCE).toBe(0);
      expect((await saved()).at(-1)).toMatchObject({ text: "", end: "stopped" });
    });

    test("a reader that leaves does not end it", async () => {
      const reader = await (await send("held")).says(HALF);
      reader.leave();
      model.release();
      await endsAs("completed");
      expect((await saved()).at(-1)?.text).toBe(WHOLE);
    });

    test("the death of its process ends it as interrupted, with its words, and the next message works", async () => {
      const reader = await (await send("held")).says(HALF);
      const other = host.one === host.two ? undefined : await (await open(resumeAt(host.two))).says(HALF);
      const died = reader.until().catch(() => undefined);
      await host.crash();
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
          id,
          transport: new DefaultChatTransport({ api: `${host.one}/api/chat` }),
          onFinish: (how) => (isError = how.isError && how.finishReason === undefined),
        });
        await chat.sendMessage({ text: manner });
        expect([chat.status, chat.text, isError]).toEqual(["error", HALF, true]);
        expect(chat.error?.message).toMatch(told);
        const last = (await saved()).at(-1);
        expect(last).toMatchObject({ text: HALF, end: "failed" });
        expect(last?.told).toMatch(told);
        const client = new OpenAI({ baseURL: `${host.two}/v1`, apiKey: "any", maxRetries: 0 });
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
      const before = model.asked.length;
      const chunks = chunksOf(itemsIn(await whole(manner)));
      expect(chunks.at(-1)).toMatchObject({ type: "error", errorText: expect.stringMatching(told) });
      expect(JSON.stringify(chunks)).not.toContain("secret");
      expect((await saved()).at(-1)).toMatchObject({ text: "", end: "failed" });
      expect(model.asked.length).toBe(before + 1); // another attempt would not help
    });

    test.each(["pings", "split"])("what is between the words (%s) does not matter", async (manner) => {
      expect(await judged(await whole(manner))).toMatchObject({ text: WHOLE, errors: 0 });
      expect((await saved()).at(-1)).toMatchObject({ text: WHOLE, end: "completed" });
    });

    test("a model that is busy is asked again before its first token, and nothing is told twice", async () => {
      const before = model.asked.length;
      expect(await judged(await whole(`busy ${id} ${name}`))).toMatchObject({ text: WHOLE, errors: 0 });
      expect(model.asked.length).toBe(before + 3);
    });

    test.runIf(options.noticesSilence)(
      "a model that falls silent is a failed answer, and is no longer listened to",
      async () => {
        const chunks = chunksOf(itemsIn(await whole("stall")));
        expect(chunks.at(-1)).toMatchObject({ type: "error", errorText: expect.stringMatching(/said nothing more/) });
        await expect.poll(() => model.open, PATIENCE).toBe(0);
        expect((await saved()).at(-1)).toMatchObject({ text: HALF, end: "failed" });
      },
    );
  });
}
