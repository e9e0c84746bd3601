// Bodies that are changed on their way through Next.js, in both directions at once, and the page that shows it.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request, type IncomingMessage } from "node:http";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "./browser.ts";
import { Demo } from "./demo.ts";
import { grownBytes } from "./grown-memory.ts";
import { openedCount } from "./process-state.ts";
import { RawExchange } from "./raw-exchange.ts";

const CHUNKED = { "transfer-encoding": "chunked" };
/** One, two, three and four bytes long; a letter and its accent; one that grows; a CR and LF. */
const CORPUS = "a\u00e9\u20ac\u{1f600}e\u0301\u00df\r\n\u2028\u{10ffff}z";
const LONG = process.env["LONG"] === "1";
const BODY_BYTES = LONG ? 2_000_000_000 : 200_000_000;
/** The bound of the issue, over what the server holds before. */
const GROWN_BYTES = 150_000_000;

let demo: Demo;
let browser: Browser;
beforeAll(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
});

const at = (op: string): string => `${demo.url}/api/transform?op=${op}`;
const send = (op: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(at(op), { method: "POST", body, headers, duplex: "half" } as RequestInit);

describe("/api/transform", () => {
  test("a body of any size goes through in the memory of a small one", async () => {
    const piece = Buffer.from("The quick brown fox jumps over the lazy dog. \n".repeat(1_424));
    const changed = Buffer.from(piece.toString().toUpperCase());
    const warm = async (): Promise<void> => void (await (await send("upper", "warm".repeat(5_000_000))).text());
    const work = async (look: () => void): Promise<void> => {
      const [sent, received] = [createHash("sha256"), createHash("sha256")];
      const asking = request(at("upper"), { method: "POST", headers: CHUNKED, agent: false });
      const answered = once(asking, "response") as Promise<[IncomingMessage]>;
      const sending = (async () => {
        for (let bytes = 0; bytes < BODY_BYTES; bytes += piece.length) {
          sent.update(changed);
          if (!asking.write(piece)) await once(asking, "drain");
        }
        asking.end();
      })();
      const [response] = await answered;
      let [bytes, looked] = [0, 0];
      for await (const chunk of response as AsyncIterable<Buffer>) {
        received.update(chunk);
        bytes += chunk.length;
        if (bytes - looked < 4_000_000) continue;
        looked = bytes;
        look();
      }
      await sending;
      expect(bytes).toBeGreaterThanOrEqual(BODY_BYTES);
      expect(received.digest("hex")).toBe(sent.digest("hex"));
    };
    expect(await grownBytes(demo, GROWN_BYTES, { warm, work })).toBeLessThan(GROWN_BYTES);
  });

  test("the first line is back before the second is sent", async () => {
    const exchange = await RawExchange.open(at("number"), "POST", CHUNKED);
    exchange.chunk("one\n");
    await exchange.until("1\tone\n");
    exchange.chunk("two\nthr");
    await exchange.until("2\ttwo\n");
    exchange.chunk("ee");
    exchange.chunk("");
    await exchange.until("3\tthree\n");
    await exchange.until("\r\n0\r\n\r\n");
    expect(exchange.status).toBe(200);
    exchange.socket.destroy();
  });

  test("every cut of a text comes out right, and one byte at a time too", async () => {
    const bytes = Buffer.from(CORPUS);
    const cuts = Array.from({ length: bytes.length - 1 }, (_, index) => [
      bytes.subarray(0, index + 1),
      bytes.subarray(index + 1),
    ]);
    cuts.push(Array.from(bytes, (byte) => Buffer.of(byte)));
    for (const pieces of cuts) {
      const body = new ReadableStream({
        start(controller) {
          for (const piece of pieces) controller.enqueue(new Uint8Array(piece));
          controller.close();
        },
      });
      expect(await (await send("upper", body)).text()).toBe(CORPUS.toUpperCase());
    }
  });

  test.each([
    ["lower", "ABC Ä", "abc ä", "text/plain; charset=utf-8"],
    ["number", "a\r\nb", "1\ta\n2\tb\n", "text/plain; charset=utf-8"],
    ["number&from=7", "a\n", "8\ta\n", "text/plain; charset=utf-8"],
    ["rows", 'a\n"b"\n', '{"line":1,"text":"a"}\n{"line":2,"text":"\\"b\\""}\n', "application/x-ndjson; charset=utf-8"],
    ["words", "one two\nthree", '{"characters":13,"words":3,"lines":1}\n', "application/json"],
    ["words", "", '{"characters":0,"words":0,"lines":0}\n', "application/json"],
    ["upper", "", "", "text/plain; charset=utf-8"],
  ])("op=%s of %j", async (op, body, changed, contentType) => {
    const response = await send(op, body);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, contentType]);
    expect(await response.text()).toBe(changed);
  });

  test("gzip is undone on the way", async () => {
    const body = gzipSync("zipped ".repeat(20_000));
    const response = await send("upper", body, { "content-encoding": "gzip" });
    expect(await response.text()).toBe("ZIPPED ".repeat(20_000));
  });

  test.each([
    ["an op that is not known", "shout", "x", {}, 422, "op"],
    ["an op of Object", "constructor", "x", {}, 422, "op"],
    ["a count that is none", "number&from=-1", "x", {}, 422, "from"],
    ["text that is not UTF-8", "upper", new Uint8Array([0xc3, 0x28]), {}, 400, undefined],
    ["text that ends within a character", "upper", new Uint8Array([0xe2, 0x82]), {}, 400, undefined],
    ["half a surrogate pair, encoded", "upper", new Uint8Array([0xed, 0xa0, 0x80]), {}, 400, undefined],
    ["a gzip that is none", "upper", "plain", { "content-encoding": "gzip" }, 400, undefined],
    ["another coding", "upper", brotliCompressSync("x"), { "content-encoding": "br" }, 415, undefined],
    [
      "a digest of something else",
      "words",
      "x",
      { "content-digest": `sha-256=:${"A".repeat(43)}=:` },
      400,
      "content-digest",
    ],
    [
      "a bomb, nothing of which has come out",
      "words",
      gzipSync(Buffer.alloc(50_000_000)),
      { "content-encoding": "gzip" },
      413,
      undefined,
    ],
  ] as const)("%s is refused before the first byte", async (_what, op, body, headers, status, field) => {
    const response = await send(op, body as BodyInit, headers);
    expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({ status, detail: expect.any(String), code: expect.any(String) });
    expect(problem["field"]).toBe(field);
  });

  test("a body that is announced larger than 4 GiB is refused before it is sent", async () => {
    const exchange = await RawExchange.open(at("upper"), "POST", { "content-length": "4294967297" });
    await exchange.until("4,294,967,296");
    expect(exchange.status).toBe(413);
    exchange.socket.destroy();
  });

  test("a bomb that has begun to come out is cut, and has cost little memory", async () => {
    const warm = async (): Promise<void> => void (await (await send("upper", "warm")).text());
    const work = async (look: () => void): Promise<void> => {
      const response = await send("upper", gzipSync(Buffer.alloc(200_000_000)), { "content-encoding": "gzip" });
      expect(response.status).toBe(200);
      let bytes = 0;
      await expect(async () => {
        for await (const chunk of response.body!) bytes += chunk.length;
      }).rejects.toThrow(/terminated/); // fetch's word for a cut
      look();
      expect(bytes).toBeGreaterThan(0);
      expect(bytes).toBeLessThan(50_000_000);
    };
    expect(await grownBytes(demo, GROWN_BYTES, { warm, work })).toBeLessThan(GROWN_BYTES);
  });

  test("bytes that turn out not to be UTF-8 in the middle cut the answer", async () => {
    const exchange = await RawExchange.open(at("upper"), "POST", CHUNKED);
    exchange.chunk("fine so far");
    await exchange.until("FINE SO FAR");
    exchange.chunk(Uint8Array.of(0xff, 0x20));
    await exchange.closed();
    expect(exchange.isWhole).toBe(false);
  });

  test.each([
    ["announced", { "content-length": "1000" }],
    ["chunked", CHUNKED],
  ])("a sender that ends half-way (%s) is a cut for the reader, not an end", async (_how, headers) => {
    const opened = openedCount(demo.pid);
    const exchange = await RawExchange.open(at("upper"), "POST", headers);
    if (headers === CHUNKED) exchange.chunk("half of it");
    else exchange.socket.write("half of it");
    await exchange.until("HALF OF IT");
    exchange.socket.end(); // it still reads
    await exchange.closed();
    expect([exchange.status, exchange.isWhole]).toEqual([200, false]);
    await expect.poll(() => openedCount(demo.pid)).toBeLessThanOrEqual(opened);
  });

  test("a reader that leaves half-way leaves nothing behind in the server", async () => {
    const opened = openedCount(demo.pid);
    const asking = request(at("upper"), { method: "POST", headers: CHUNKED, agent: false });
    asking.on("error", () => undefined);
    const answered = once(asking, "response") as Promise<[IncomingMessage]>;
    const piece = Buffer.alloc(65_536, "x");
    for (let index = 0; index < 64; index++) asking.write(piece);
    const [response] = await answered;
    await once(response, "readable");
    const closed = once(asking, "close");
    response.destroy();
    await closed;
    await expect.poll(() => openedCount(demo.pid)).toBeLessThanOrEqual(opened);
  });
});

describe("/transform", () => {
  const eventually = <T>(look: () => Promise<T>): ReturnType<typeof expect.poll<T>> => expect.poll(look);
  const output = (page: Page): Promise<string | null> => page.getByTestId("output").textContent();
  const status = (page: Page): Promise<string | null> => page.getByTestId("transform").getAttribute("data-status");
  const line = "The quick brown fox, and an \u00fc.\n";
  const text = line.repeat(Math.ceil(5_000_000 / Buffer.byteLength(line)));

  /** Drops `content` on the page as a file. */
  const drop = (page: Page, content: string): Promise<void> =>
    page.evaluate((value) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([value], "dropped.txt", { type: "text/plain" }));
      for (const type of ["dragenter", "dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
    }, content);

  test("what is typed comes back, and a file of 5 MB that is dropped: from the server and from the browser, saved whole", async () => {
    const context = await browser.newContext({ acceptDownloads: true });
    try {
      const page = await context.newPage();
      await page.goto(`${demo.url}/transform`);
      await page.getByTestId("input").fill("Gr\u00fc\u00dfe \u{1f600}\n");
      await eventually(() => output(page)).toBe("GR\u00dcSSE \u{1f600}\n");
      await page.getByLabel("What to do").selectOption("rows");
      await eventually(() => output(page)).toBe('{"line":1,"text":"Gr\u00fc\u00dfe \u{1f600}"}\n');
      await page.getByLabel("What to do").selectOption("upper");
      await drop(page, text);
      for (const place of ["server", "browser"]) {
        await page.getByTestId(`place-${place}`).check();
        await eventually(() => page.getByTestId("amounts").getAttribute("data-in")).toBe(
          String(Buffer.byteLength(text)),
        );
        await eventually(() => status(page)).toBe("done");
        await eventually(() => page.getByRole("status").textContent()).toBe("Done: 5.0 MB in, 5.0 MB out");
        const saved = page.waitForEvent("download");
        await page.getByRole("button", { name: "Save" }).click();
        expect((await readFile(await (await saved).path(), "utf8")) === text.toUpperCase()).toBe(true);
      }
    } finally {
      await context.close();
    }
  });

  test("a transform is stopped half-way, and a file that is not UTF-8 is told", async () => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(`${demo.url}/transform`);
      // The second piece is held until the end of the test.
      let pieces = 0;
      await page.route("**/api/transform?*", (route) => (++pieces > 1 ? undefined : route.continue()));
      await page.getByTestId("input").waitFor();
      await drop(page, text);
      await eventually(() => page.getByTestId("transform").getByRole("button", { name: "Stop" }).count()).toBe(1);
      await page.getByRole("button", { name: "Stop" }).press("Enter");
      await eventually(() => status(page)).toBe("stopped");
      await eventually(() => page.getByRole("status").textContent()).toBe("Stopped");
      await page.unrouteAll({ behavior: "ignoreErrors" });
      const buffer = Buffer.from([0x61, 0xff, 0x20]);
      await page.getByTestId("file-input").setInputFiles({ name: "bad.txt", mimeType: "text/plain", buffer });
      await eventually(() => page.getByTestId("transform").getByRole("alert").textContent()).toContain("not UTF-8");
      expect(await page.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
    } finally {
      await context.close();
    }
  });
});
