// The traps of Next.js as a host: HEAD, readers that leave early, the first byte, proxies, SIGTERM, Cache Components.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUSY_MS, Demo } from "./demo.ts";
import { Model } from "./model.ts";
import { startNginx, type Nginx } from "./nginx.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let model: Model;
let demo: Demo;

beforeAll(async () => {
  model = await Model.start();
  demo = await Demo.start({ OPENAI_BASE_URL: model.url });
});
afterAll(async () => {
  await demo?.remove();
  model?.close();
});

/** The headers of the answer to `path`, as soon as they are there. */
async function head(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const asking = request(url, { headers, agent: false });
  asking.end();
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  return response;
}

/** What the server holds: streams that it follows, and open descriptors. */
async function held(): Promise<{ followers: number; descriptors: number }> {
  const response = await head(`${demo.url}/api/load`, { connection: "close" });
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk as string;
    if (/^data: /m.test(text)) break;
  }
  response.destroy();
  const { followers } = JSON.parse(/^data: (.*)$/m.exec(text)![1]!) as { followers: number };
  return { followers, descriptors: readdirSync(`/proc/${demo.pid}/fd`).length };
}

const nothingHeld = (before: { descriptors: number }): Promise<void> =>
  expect
    .poll(async () => {
      const now = await held();
      return { followers: now.followers, grown: Math.max(0, now.descriptors - before.descriptors - 3) };
    })
    .toEqual({ followers: 0, grown: 0 });

describe("Next.js", () => {
  test("100 HEADs are answered with the headers and leave nothing open", async () => {
    await fetch(`${demo.url}/api/events`, { method: "HEAD" });
    const before = await held();
    for (let index = 0; index < 100; index++) {
      const path = ["/api/events", "/api/load", "/api/text?prompt=silent"][index % 3]!;
      const response = await fetch(demo.url + path, { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
      expect(response.headers.get("x-accel-buffering")).toBe("no");
    }
    await nothingHeld(before);
    expect(model.open).toBe(0);
  });

  test("200 readers that leave before or while they are answered leave nothing open", async () => {
    const before = await held();
    const { port } = new URL(demo.url);
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const socket = connect(Number(port), "127.0.0.1").on("error", () => undefined);
          socket.write(
            `GET ${["/api/events?last=5", "/api/text?prompt=silent"][index % 2]} HTTP/1.1\r\nhost: x\r\n\r\n`,
          );
          await new Promise((done) => setTimeout(done, index % 5));
          socket.destroy();
        }),
      );
    }
    await nothingHeld(before);
    await expect.poll(() => model.open).toBe(0);
  });

  test("the headers leave at once, though the source says nothing", async () => {
    const response = await head(`${demo.url}/api/text?prompt=silent`);
    expect(response.statusCode).toBe(200);
    expect(response.headers["content-type"]).toBe("text/plain; charset=utf-8");
    response.destroy();
    await expect.poll(() => model.open).toBe(0);
  });

  test("events are neither compressed nor held back for a reader that accepts gzip", async () => {
    const response = await head(`${demo.url}/api/events`, { "accept-encoding": "gzip, br" });
    expect(response.headers["content-encoding"]).toBeUndefined();
    const [first] = (await once(response, "data")) as [Buffer];
    expect(first.toString()).toMatch(/^retry: \d+\nid: \w+\n\n/);
    response.destroy();
  });

  test.each([
    ["its default settings", "", undefined],
    ["gzip on for event streams", "gzip on; gzip_types text/event-stream;", "gzip"],
  ])("an nginx with %s passes each event on at once", async (_what, settings, encoding) => {
    const nginx: Nginx = await startNginx(demo.url, settings);
    try {
      const response = await head(`${nginx.url}/api/events`, { "accept-encoding": "gzip" });
      expect(response.headers["content-encoding"]).toBe(encoding);
      let text = "";
      const body = encoding === "gzip" ? response.pipe(createGunzip()) : response;
      body.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      body.on("error", () => undefined); // a gzip stream that is left has no end
      for (let index = 0; index < 3; index++) {
        const title = `through nginx ${index}`;
        await fetch(`${nginx.url}/api/notifications`, { method: "POST", body: JSON.stringify({ title, body: "" }) });
        await expect.poll(() => text).toContain(title);
      }
      response.destroy();
    } finally {
      await nginx.stop();
    }
  });

  test("SIGTERM with 30 open streams ends each in good order and the process within 5 s", async () => {
    const readers = await Promise.all(Array.from({ length: 30 }, () => head(`${demo.url}/api/events`)));
    const ends = Promise.all(
      readers.map(async (reader) => {
        let text = "";
        for await (const chunk of reader.setEncoding("utf8")) text += chunk as string;
        return text; // a reset would have thrown
      }),
    );
    const { tookMs } = await demo.end("SIGTERM");
    expect(tookMs).toBeLessThan(5_000 + BUSY_MS); // the stated bound
    for (const text of await ends) expect(text).toMatch(/retry: \d+\n\n$/);
    await demo.start();
  });

  // A build takes half a minute of a machine that has nothing else to do.
  test(
    "the demo builds and streams with Cache Components too, and no handler is run at build",
    { timeout: 900_000 },
    async () => {
      const env = {
        ...process.env,
        NODE_ENV: "production",
        NEXT_TELEMETRY_DISABLED: "1",
        TAILRACE_CACHE_COMPONENTS: "1",
      } as NodeJS.ProcessEnv;
      const next = resolve(ROOT, "node_modules/next/dist/bin/next");
      const { stdout } = await promisify(execFile)(process.execPath, [next, "build", "apps/demo"], { cwd: ROOT, env });
      const apis = stdout.split("\n").filter((line) => /\/api\//.test(line));
      expect(apis.length).toBeGreaterThanOrEqual(8);
      for (const line of apis) expect(line).toContain("ƒ"); // dynamic, not frozen into a file
      const other = await Demo.start({ TAILRACE_CACHE_COMPONENTS: "1" });
      try {
        const response = await head(`${other.url}/api/events`);
        const [first] = (await once(response, "data")) as [Buffer];
        expect(first.toString()).toContain("event: connected");
        response.destroy();
        const pages = await Promise.all(["/", "/chat", "/live"].map((path) => fetch(other.url + path)));
        expect(pages.map((page) => page.status)).toEqual([200, 200, 200]);
      } finally {
        await other.remove();
      }
    },
  );
});
