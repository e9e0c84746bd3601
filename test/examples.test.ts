// The examples really run: each is started as its README says, and a stock client gets its stream.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { EventSource } from "eventsource";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const EXAMPLES = path.join(ROOT, "examples");
const START_LIMIT_MS = 60_000;
const MAX_LINES = 60;

interface Example {
  readonly url: string;
  readonly child: ChildProcess;
  readonly dataDir: string;
}

async function start(name: string): Promise<Example> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "tailrace-example-"));
  const env: NodeJS.ProcessEnv = { ...process.env, PORT: "0", DATA_DIR: dataDir };
  delete env["NODE_OPTIONS"];
  const child = spawn(process.execPath, [path.join(EXAMPLES, name, "server.ts")], { cwd: ROOT, env });
  let log = "";
  child.stderr.on("data", (text: Buffer) => (log += String(text)));
  const url = await new Promise<string>((resolve, reject) => {
    const give = (why: string): void => {
      clearTimeout(timer);
      reject(new Error(`${name} ${why}\n${log}`));
    };
    const timer = setTimeout(() => give(`named no address within ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    child.once("exit", (code) => give(`ended with exit code ${code}`));
    child.stdout.on("data", (text: Buffer) => {
      log += String(text);
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(log);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[0]);
    });
  });
  return { url, child, dataDir };
}

async function end({ child, dataDir }: Example): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    const limit = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await gone;
    clearTimeout(limit);
  }
  rmSync(dataDir, { recursive: true, force: true });
  return child.exitCode;
}

/** What an EventSource gets from `url` until the event `end`, and that event's data. */
function follow(
  url: string,
): Promise<{ readonly data: readonly string[]; readonly ids: readonly string[]; readonly end: string }> {
  return new Promise((resolve, reject) => {
    const source = new EventSource(url);
    const data: string[] = [];
    const ids: string[] = [];
    source.addEventListener("message", (event) => {
      data.push(String(event.data));
      ids.push(event.lastEventId);
    });
    source.addEventListener("end", (event) => {
      source.close();
      resolve({ data, ids, end: String(event.data) });
    });
    source.addEventListener("error", (event) => {
      source.close();
      reject(new Error(`The stream was lost: ${event.message ?? "an error event"}`));
    });
  });
}

const WHOLE = Array.from({ length: 11 }, (_, step) => JSON.stringify({ done: step * 10 }));

/** The lines of code of an example: what is not empty, in its TypeScript files. */
function linesOf(name: string): number {
  return sourcesOf(name)
    .flatMap((file) => readFileSync(path.join(EXAMPLES, name, file), "utf8").split("\n"))
    .filter((line) => line.trim() !== "").length;
}

function sourcesOf(name: string): readonly string[] {
  return readdirSync(path.join(EXAMPLES, name), { recursive: true, encoding: "utf8" })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => /\.tsx?$/.test(file) && !/(^|\/)(\.next|node_modules)\/|next-env\.d\.ts$/.test(file));
}

const servers = ["node-http", "hono", "srvx"] as const;

test("every example has a README, a test here, and less than 60 lines of code", () => {
  const names = readdirSync(EXAMPLES).filter((name) => name !== "deploy"); // files, and no code
  expect(names.toSorted()).toEqual([...servers, "next"].toSorted());
  for (const name of names) {
    expect(readFileSync(path.join(EXAMPLES, name, "README.md"), "utf8")).toMatch(/^# Example: /);
    expect(linesOf(name), name).toBeGreaterThan(10);
    expect(linesOf(name), name).toBeLessThan(MAX_LINES);
  }
});

describe.each(servers)("example %s", (name) => {
  let example: Example;
  beforeAll(async () => {
    example = await start(name);
  });
  afterAll(async () => {
    await end(example);
  });

  test("a stock EventSource gets the whole job, and one that comes back gets the rest", async () => {
    const job = `${example.url}/jobs/whole`;
    const started = await fetch(job, { method: "POST" });
    expect(started.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    await started.body?.cancel(); // the reader leaves, the run goes on
    const { data, ids, end: reason } = await follow(job);
    expect(data).toEqual(WHOLE);
    expect(JSON.parse(reason)).toEqual({ reason: "completed" });

    const rest = await fetch(job, { headers: { "last-event-id": ids[8] ?? "" } });
    expect((await rest.text()).match(/^data: .*$/gm)).toEqual([
      `data: ${WHOLE[9]}`,
      `data: ${WHOLE[10]}`,
      'data: {"reason":"completed"}',
    ]);
  });

  test("a job that is stopped ends as stopped, for its reader too", async () => {
    const job = `${example.url}/jobs/stopped`;
    const reply = await fetch(job, { method: "POST" });
    const stopped = await fetch(job, { method: "DELETE" });
    expect(await stopped.json()).toEqual({ state: "stopping" });
    expect(await reply.text()).toContain('data: {"reason":"stopped"}');
  });

  test("what does not exist is a 404", async () => {
    const job = await fetch(`${example.url}/jobs/none`);
    expect(job.status).toBe(404);
    expect(job.headers.get("content-type")).toBe("application/problem+json");
    expect(await job.json()).toMatchObject({ code: "stream_unknown" });
    const other = await fetch(`${example.url}/other`);
    expect(other.status).toBe(404);
    await other.body?.cancel();
  });

  test("it ends on SIGTERM with a stream open, and tells its reader", async () => {
    const reply = await fetch(`${example.url}/jobs/open`, { method: "POST" });
    expect(await end(example)).toBe(0);
    expect(await reply.text()).toContain('"reason":"interrupted"');
  });
});

describe("example next", () => {
  test("its types are sound, with the settings that Next.js builds it with", async () => {
    const tsc = [path.join(ROOT, "node_modules/typescript/bin/tsc"), "-p", path.join(EXAMPLES, "next"), "--noEmit"];
    const output = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        [...tsc, "--incremental", "false"],
        { cwd: ROOT, timeout: 120_000 },
        (error, stdout, stderr) => {
          resolve(error === null ? "" : `${stdout}${stderr}${error.message}`);
        },
      );
    });
    expect(output).toBe("");
  });

  test("docs/next.md shows its files", () => {
    const page = readFileSync(path.join(ROOT, "docs/next.md"), "utf8");
    const shown = sourcesOf("next").filter((file) => page.includes(`file=examples/next/${file}`));
    const left = sourcesOf("next").filter((file) => !shown.includes(file));
    expect(left).toEqual(["app/layout.tsx"]);
  });
});
