// The demo on PostgreSQL: filled by the script and by first use alike, with the rows that SQLite has, and no query left behind.

import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCsvEncoder } from "tailrace/wire";
import { TABLES } from "../../apps/demo/lib/sample/tables.ts";
import { type Postgres, startPostgres } from "../export/postgres.ts";
import { launch } from "./browser.ts";
import { Demo } from "./demo.ts";
import {
  followExport,
  hitHalfWay,
  lastOf,
  leaveAfter,
  objectRow,
  type ReadEvent,
  sha256Of,
  startExport,
} from "./export-exchange.ts";
import { openedCount } from "./process-state.ts";
import { RawExchange } from "./raw-exchange.ts";

const ROOT = resolve(import.meta.dirname, "../..");

let postgres: Postgres;
let demo: Demo;
let admin: pg.Client;
beforeAll(async () => {
  postgres = await startPostgres();
  admin = new pg.Client(postgres.url);
  await admin.connect();
  demo = await Demo.start({ DATABASE_URL: postgres.url });
});
afterAll(async () => {
  await demo?.remove();
  await admin?.end();
  await postgres?.end();
});

const direct = (query: string): string => `${demo.url}/api/export?${query}`;

/** What the demo's connections are busy with. */
async function queries(): Promise<readonly string[]> {
  const { rows } = await admin.query<{ query: string }>(
    "SELECT query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'",
  );
  return rows.map(({ query }) => query);
}

/** Stops whatever answers the demo, so that an export stays in its middle. @returns what lets it go on */
async function hold(): Promise<() => void> {
  const { rows } = await admin.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
  );
  for (const { pid } of rows) process.kill(pid, "SIGSTOP");
  return () => {
    for (const { pid } of rows.splice(0)) process.kill(pid, "SIGCONT");
  };
}

/** What the tables of a database hold. */
async function contents(url: string): Promise<unknown> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const found: unknown[] = [];
    for (const { name } of TABLES) {
      const text = `SELECT count(*) AS rows, sum(hashtextextended(t::text, 0)) AS digest FROM ${name} t`;
      found.push((await client.query(text)).rows);
    }
    return found;
  } finally {
    await client.end();
  }
}

describe("the demo with DATABASE_URL", () => {
  test("first use fills the database with the rows that SQLite has, and gives them as SQLite does", async () => {
    for (const table of TABLES) {
      const encoder = createCsvEncoder({ columns: table.columns.map(({ name }) => name), guardFormulas: true });
      let wanted = encoder.open();
      for (let id = 1; id <= 10_000; id++) wanted += encoder.encode(objectRow(table, id));
      const found = await (await fetch(direct(`format=csv&rows=10000&table=${table.name}`))).text();
      if (found !== wanted) expect(found.split("\r\n")).toEqual(wanted.split("\r\n"));
      const last = (await (await fetch(direct(`format=ndjson&rows=10000&table=${table.name}`))).text()).split("\n");
      expect(JSON.parse(last.at(-3)!)).toEqual(objectRow(table, 10_000));
      expect(last.at(-2)).toBe('{"$end":{"reason":"completed","rows":10000}}');
    }
    const response = await fetch(direct("format=ndjson&rows=700&table=orders&filter=returned"));
    const rows = (await response.text()).split("\n").slice(0, -2);
    expect(rows).toHaveLength(700);
    expect(rows.every((row) => row.includes('"status":"returned"'))).toBe(true);
  });

  test("the script tells how far it is, fills another database alike, and does nothing the second time", async () => {
    await admin.query("CREATE DATABASE filled");
    const url = postgres.url.replace(/postgres$/, "filled");
    const fill = (): Promise<{ readonly stdout: string }> =>
      promisify(execFile)(process.execPath, [join(ROOT, "apps/demo/preflight.ts")], {
        cwd: ROOT,
        env: { ...process.env, DATA_DIR: demo.dataDir, DATABASE_URL: url },
      });
    const { stdout } = await fill();
    expect(stdout).toContain("filling the database of DATABASE_URL (1,250,000 rows) ...");
    expect(stdout).toContain("  60 %");
    expect(stdout).toContain("  100 %");
    expect(await contents(url)).toEqual(await contents(postgres.url));
    expect((await fill()).stdout).toBe("");
  });

  test("the script says what is wrong with the address", async () => {
    const failing = promisify(execFile)(process.execPath, [join(ROOT, "apps/demo/preflight.ts")], {
      cwd: ROOT,
      env: { ...process.env, DATA_DIR: demo.dataDir, DATABASE_URL: `${postgres.url}-not` },
    });
    await expect(failing).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/database of DATABASE_URL cannot be used: .*"postgres-not".* unset it/) as string,
    });
  });

  test("12 readers that leave after a megabyte, more than there are connections, leave no query", async () => {
    await (await fetch(direct("rows=1"))).text();
    const opened = openedCount(demo.pid);
    for (let index = 0; index < 12; index++) {
      await leaveAfter(direct("rows=1000000"), 1_000_000);
      await expect.poll(queries, { interval: 10 }).toEqual([]);
    }
    await expect.poll(() => openedCount(demo.pid)).toBeLessThanOrEqual(opened + 3);
    expect((await (await fetch(direct("rows=3"))).text()).split("\r\n")).toHaveLength(5);
  });

  test("HEAD leaves no query", async () => {
    expect((await fetch(direct("rows=1000000"), { method: "HEAD" })).status).toBe(200);
    expect(await queries()).toEqual([]);
  });

  test("two tabs show the same export as it is made, also after a reload, and one of them cancels it", async () => {
    const browser = await launch();
    let goOn: (() => void) | undefined;
    try {
      const context = await browser.newContext();
      const [page, other] = [await context.newPage(), await context.newPage()];
      await Promise.all([page, other].map((each) => each.goto(`${demo.url}/export`)));
      const id = await startExport(demo.url, { format: "csv", rows: 1_000_000 });
      const exchange = await RawExchange.open(`${demo.url}/api/exports/${id}`, "GET");
      await exchange.until('"remainingMs"');
      goOn = await hold(); // however long the pages take
      exchange.socket.destroy();
      const row = (each: Page) => each.locator(`[data-id="${id}"]`);
      const done = async (each: Page): Promise<number> =>
        Number(
          await row(each)
            .getByRole("progressbar", { name: /rows written$/ })
            .getAttribute("data-bytes"),
        );
      for (const each of [page, other]) await expect.poll(() => done(each)).toBeGreaterThan(0);
      const before = await done(other);
      await page.reload();
      await expect.poll(() => done(page)).toBeGreaterThanOrEqual(before);
      await expect.poll(() => row(page).getByTestId("export-line").textContent()).toMatch(/^\d+ % · .* rows\/s/);
      await row(other).getByRole("button", { name: "Cancel: events, 1,000,000 rows, CSV" }).press("Enter");
      goOn();
      for (const each of [page, other]) {
        await expect.poll(() => row(each).getAttribute("data-state")).toBe("stopped");
        expect(await row(each).getByTestId("export-line").textContent()).toBe("Cancelled");
      }
      // Who pressed the button can press on.
      await expect.poll(() => other.evaluate(() => document.activeElement?.textContent)).toBe("Again");
      await expect.poll(queries).toEqual([]);
    } finally {
      goOn?.();
      await browser.close();
    }
  });

  test("SIGKILL: an export goes on from its last key, to the file of an uncut one", async () => {
    const isCarriedOn = ({ data }: ReadEvent): boolean => data["carriedOn"] === true;
    const events = await hitHalfWay(
      async () => {
        const id = await startExport(demo.url, { format: "csv", rows: 400_000, filter: "view" });
        const exchange = await RawExchange.open(`${demo.url}/api/exports/${id}`, "GET");
        await exchange.until(": checkpoint");
        await demo.end("SIGKILL");
        exchange.socket.destroy();
        await demo.start();
        return followExport(demo.url, id);
      },
      (found) => found.some(isCarriedOn),
    );
    expect(events.some(isCarriedOn)).toBe(true);
    expect(events.filter(({ event }) => event === "log")).toEqual([]);
    expect(lastOf(events, "result")?.["value"]).toMatchObject({
      rows: 400_000,
      sha256: await sha256Of(direct("rows=400000&filter=view")),
    });
  });
});
