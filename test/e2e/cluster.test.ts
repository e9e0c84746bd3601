// Two instances as one system: what is begun on one is followed, stopped, carried on and taken over on the other.

import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EventSource } from "eventsource";
import { Upload, type UploadOptions } from "tus-js-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Events, kept, publish, say, startJob } from "./cluster-exchange.ts";
import { curlUntil } from "./curl.ts";
import { Demo, type Shared } from "./demo.ts";
import { followExport, hitHalfWay, lastOf, type ReadEvent, sha256Of, startExport } from "./export-exchange.ts";
import type { Instance } from "./instance.ts";
import { Model } from "./model.ts";
import { RawExchange } from "./raw-exchange.ts";

/** A lease, the look after it, and what a slow machine takes on top. */
const DEATH = { timeout: 90_000 };
const SOON = { timeout: 90_000 };
/** 25 MB at this speed take some 5 s: time to do something half-way. */
const SLOWLY = { kind: "hash", folder: "files", bytesPerSecond: 5_000_000 };
const WHOLE = Array.from({ length: 240 }, (_, index) => `wörd-${index}`).join(" ");
const DATA = randomBytes(8_000_000);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe.each<Shared>(["redis", "sqlite"])("two instances that share %s", (shared) => {
  let model: Model;
  let demo: Demo;
  let one: Instance;
  let other: Instance;
  beforeAll(async () => {
    model = await Model.start();
    demo = await Demo.start({ OPENAI_BASE_URL: model.url }, shared);
    [one, other] = demo.instances as [Instance, Instance];
  });
  afterAll(async () => {
    await demo?.remove();
    model.close();
  });
  /** Ends the first instance as a crash does, and starts it again when `meanwhile` is over. */
  async function without(meanwhile: () => Promise<void>): Promise<void> {
    await one.end("SIGKILL");
    try {
      await meanwhile();
    } finally {
      await one.start();
    }
  }

  test("both say what they share", async () => {
    for (const { url } of [one, other, demo])
      expect(await (await fetch(`${url}/api/health`)).json()).toEqual({ status: "ok", store: shared });
  });

  describe("a chat", () => {
    test("that is answered by one is followed and stopped through the other, and its bill ends", async () => {
      model.upTo = 60; // so that it is certain to be stopped half-way
      const asked = Events.of(await say(one.url, "stop", "slow"));
      await asked.count(5);
      const followed = await Events.open(`${other.url}/api/chat/stop/stream`);
      await followed.count(10);
      expect(model.open).toBe(1);
      expect((await fetch(`${other.url}/api/chat/stop/stop`, { method: "POST" })).status).toBe(204);
      await expect.poll(() => model.open, SOON).toBe(0);
      await Promise.all([asked.over, followed.over]);
      model.upTo = Infinity;
      expect(followed.data).toEqual(asked.data);
      expect(asked.data.at(-1)).toBe("[DONE]");
      const [mine, theirs] = await Promise.all([kept(one.url, "stop"), kept(other.url, "stop")]);
      expect(mine).toEqual(theirs);
      expect(mine[1]).toMatchObject({ end: "stopped" });
      expect(WHOLE.startsWith(mine[1]!.text)).toBe(true);
    });

    test("that is asked of both at once is answered once", async () => {
      const before = model.asked;
      const answers = await Promise.all([one, other, one, other].map(({ url }) => say(url, "twice", "quick")));
      const texts = await Promise.all(answers.map((answer) => answer.text()));
      const lines = texts.map((text) => text.match(/^data: .*$/gm));
      for (const each of lines) expect(each).toEqual(lines[0]);
      expect(lines[0]!.at(-1)).toBe("data: [DONE]");
      expect(model.asked).toBe(before + 1);
      expect(await kept(demo.url, "twice")).toHaveLength(2);
    });

    test("goes on with the next message through the other", async () => {
      await (await say(one.url, "turns", "quick", "first")).text();
      const before = await kept(other.url, "turns");
      await (await say(other.url, "turns", "quick", "second")).text();
      expect(await kept(one.url, "turns")).toHaveLength(before.length + 2);
    });

    test("whose instance is killed ends as interrupted for a reader on the other, and keeps what was written", async () => {
      model.upTo = 60;
      const asked = Events.of(await say(one.url, "killed", "slow"));
      await asked.count(20);
      const followed = await Events.open(`${other.url}/api/chat/killed/stream`);
      await followed.count(10);
      await without(async () => {
        await expect.poll(() => followed.data.at(-1), DEATH).toBe("[DONE]");
        model.upTo = Infinity;
        const [, answer] = await kept(other.url, "killed");
        expect(answer).toMatchObject({ role: "assistant", end: "interrupted" });
        expect(answer!.text.length).toBeGreaterThan(50);
        expect(WHOLE.startsWith(answer!.text)).toBe(true);
        // What the reader on the dead instance had seen, the other reader has too.
        expect(followed.data.slice(0, asked.data.length)).toEqual(asked.data);
      });
    });
  });

  test("a notification through one is seen by stock clients on the other, which come back to any", async () => {
    const source = new EventSource(`${one.url}/api/events`);
    const seen: string[] = [];
    source.addEventListener("notification", (event) => seen.push(event.lastEventId));
    await new Promise((resolve) => source.addEventListener("connected", resolve, { once: true }));
    const ids = [await publish(other.url, "one"), await publish(one.url, "two"), await publish(demo.url, "three")];
    await expect.poll(() => seen, SOON).toEqual(ids);
    source.close();
    for (const { url } of [one, other]) {
      const headers = ["-H", `Last-Event-ID: ${ids[0]}`];
      const output = await curlUntil([...headers, `${url}/api/events`], '"three"');
      const titles = [...output.matchAll(/^data: (\{"title".*\})/gm)].map(([, data]) => JSON.parse(data!) as object);
      expect(titles).toMatchObject([{ title: "two" }, { title: "three" }]);
    }
  });

  describe("a job", () => {
    test("is followed and cancelled through the other", async () => {
      const id = await startJob(one.url, { ...SLOWLY, bytesPerSecond: 200_000 });
      const followed = await Events.open(`${other.url}/api/jobs/${id}`);
      await expect.poll(() => followed.named("progress").length, SOON).toBeGreaterThan(0);
      expect((await fetch(`${other.url}/api/jobs/${id}`, { method: "DELETE" })).status).toBe(204);
      await followed.over;
      expect(followed.named("end")).toMatchObject([{ reason: "stopped" }]);
      // Its slot is free again where it ran.
      const next = await Events.open(`${one.url}/api/jobs/${await startJob(one.url, { kind: "words", text: "a b" })}`);
      await next.over;
      expect(next.named("result")).toMatchObject([{ value: { words: 2 } }]);
    });

    test("whose instance is killed is carried on by the other, to the same result", async () => {
      const whole = await Events.open(`${one.url}/api/jobs/${await startJob(one.url, { kind: "hash" })}`);
      await whole.over;
      const followed = await hitHalfWay(
        async () => {
          const events = await Events.open(`${other.url}/api/jobs/${await startJob(one.url, SLOWLY)}`);
          await expect.poll(() => events.named("progress").length, SOON).toBeGreaterThan(0);
          await without(() => events.over);
          return events;
        },
        (events) => events.named("state").some((state) => state["carriedOn"] === true),
      );
      expect(followed.named("state")).toContainEqual(expect.objectContaining({ state: "queued", carriedOn: true }));
      expect(followed.named("result")[0]?.["value"]).toEqual(whole.named("result")[0]?.["value"]);
      expect(followed.named("end")).toMatchObject([{ reason: "completed" }]);
    });
  });

  test("an export that is begun by one, which is killed, is made whole by the other, and its file is to be had from both", async () => {
    const isCarriedOn = ({ data }: ReadEvent): boolean => data["carriedOn"] === true;
    const { id, events } = await hitHalfWay(
      async () => {
        const started = await startExport(one.url, { format: "ndjson", rows: 1_000_000 });
        const exchange = await RawExchange.open(`${other.url}/api/exports/${started}`, "GET");
        await exchange.until(": checkpoint");
        exchange.socket.destroy();
        let found: readonly ReadEvent[] = [];
        await without(async () => {
          found = await followExport(other.url, started);
        });
        return { id: started, events: found };
      },
      (outcome) => outcome.events.some(isCarriedOn),
    );
    expect(events.some(isCarriedOn)).toBe(true);
    expect(lastOf(events, "end")).toMatchObject({ reason: "completed" });
    expect(events.filter(({ event }) => event === "log")).toEqual([]); // it was not begun anew
    const { rows, sha256: digest } = lastOf(await followExport(one.url, id), "result")!["value"] as Record<
      string,
      unknown
    >;
    expect(rows).toBe(1_000_000);
    for (const { url } of [one, other]) expect(await sha256Of(`${url}/api/exports/${id}/file`)).toBe(digest);
  });

  describe("an upload", () => {
    const uploaded = (name: string): Promise<string> => readFile(join(demo.dataDir, "uploads", name)).then(sha256);

    function send(url: string, name: string, options: Partial<UploadOptions> = {}): Promise<string> {
      return new Promise((resolve, reject) => {
        const upload = new Upload(DATA as never, {
          endpoint: `${url}/api/tus/`,
          retryDelays: Array.from({ length: 40 }, () => 100),
          metadata: { filename: name },
          ...options,
          onSuccess: () => resolve(upload.url!.split("/").at(-1)!),
          onError: reject,
        });
        upload.start();
      });
    }

    test.each<[string, Partial<UploadOptions>]>([
      ["in chunks", { chunkSize: 400_000 }],
      ["in three parts at a time, in chunks", { parallelUploads: 3, chunkSize: 400_000 }],
    ])("whose requests go to both in turn arrives whole, %s", async (how, options) => {
      const name = `${how}.bin`;
      await send(demo.url, name, options);
      expect(await uploaded(name)).toBe(sha256(DATA));
    });

    /** What is told of an upload that goes to both in turn. */
    async function told(name: string): Promise<readonly { readonly state: string; readonly bytes: number }[]> {
      const id = await send(demo.url, name, { chunkSize: 1_000_000 });
      const followed = await Promise.all(
        [one, other].map(({ url }) => Events.open(`${url}/api/uploads/${id}/progress`)),
      );
      await Promise.all(followed.map(({ over }) => over));
      expect(followed[0]!.data).toEqual(followed[1]!.data);
      return followed[0]!.seen
        .filter(({ event }) => event === "message")
        .map(({ data }) => JSON.parse(data) as { readonly state: string; readonly bytes: number });
    }

    test("tells its progress through both, without a step back and without a pause that there was not", async () => {
      let reports = await told("told.bin");
      const isStalled = (): boolean => reports.some(({ state }) => state === "stalled");
      // On a machine that stood still for 5 s there was one.
      for (let times = 1; times < 3 && isStalled(); times++) reports = await told(`told-${times}.bin`);
      const bytes = reports.map((report) => report.bytes);
      expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
      expect(reports.at(-1)).toMatchObject({ state: "complete", bytes: DATA.length });
      const states = reports.map(({ state }) => state);
      expect(states.lastIndexOf("created")).toBeLessThan(states.indexOf("receiving"));
      expect(isStalled()).toBe(false);
    });

    /** Creates an upload on the first instance and begins to send to it, with a request that does not end. */
    async function begun(name: string): Promise<{ readonly id: string; readonly exchange: RawExchange }> {
      const metadata = `filename ${Buffer.from(name).toString("base64")}`;
      const tus = { "tus-resumable": "1.0.0" };
      const created = await fetch(`${one.url}/api/tus/`, {
        method: "POST",
        headers: { ...tus, "upload-length": String(DATA.length), "upload-metadata": metadata },
      });
      const id = created.headers.get("location")!.split("/").at(-1)!;
      const exchange = await RawExchange.open(`${one.url}/api/tus/${id}`, "PATCH", {
        ...tus,
        "content-type": "application/offset+octet-stream",
        "upload-offset": "0",
        "content-length": String(DATA.length),
      });
      exchange.socket.write(DATA.subarray(0, 3_000_000));
      await expect
        .poll(async () => (await readFile(join(demo.dataDir, "unfinished", `${id}.data`))).length, SOON)
        .toBe(3_000_000);
      return { id, exchange };
    }

    const resumed = (id: string): Partial<UploadOptions> => ({ uploadUrl: `${other.url}/api/tus/${id}` });

    test("that hangs on one is taken over by the other at once", async () => {
      const { id, exchange } = await begun("taken.bin");
      const done = send(other.url, "taken.bin", resumed(id));
      await exchange.until("HTTP/1.1 409");
      exchange.socket.write(DATA.subarray(3_000_000, 4_000_000)); // too late
      await done;
      exchange.socket.destroy();
      expect(await uploaded("taken.bin")).toBe(sha256(DATA));
    });

    test("whose instance is killed goes on at the other", async () => {
      const { id } = await begun("killed.bin");
      await without(() => send(other.url, "killed.bin", resumed(id)).then(() => undefined));
      expect(await uploaded("killed.bin")).toBe(sha256(DATA));
    });
  });
});
