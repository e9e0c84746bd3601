// `npm run bench [-- NAME] [--json FILE]`: runs the benchmarks, prints their tables, keeps the figures.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type BenchResult, printResult } from "./result.ts";

const BENCHES: Readonly<Record<string, (rows: readonly string[]) => Promise<BenchResult>>> = {
  chat: async (rows) => (await import("./chat-overhead.ts")).run(rows),
  resume: async () => (await import("./resume-paint.ts")).run(),
  send: async (rows) => (await import("./send.ts")).run(rows),
  decode: async () => (await import("./decode.ts")).run(),
  export: async (rows) => (await import("./export.ts")).run(rows),
  files: async (rows) => (await import("./files.ts")).run(rows),
  compress: async () => (await import("./compress.ts")).run(),
  ndjson: async (rows) => (await import("./ndjson.ts")).run(rows),
  conversation: async () => (await import("./conversation.ts")).run(),
  relay: async () => (await import("./relay.ts")).run(),
  redis: async (rows) => (await import("./redis.ts")).run(rows),
  uploads: async (rows) => (await import("./uploads.ts")).run(rows),
};

const USAGE = `Usage: npm run bench [-- NAME [ROWS...]] [--json FILE]
  NAME   ${Object.keys(BENCHES).join(" or ")}; without it, all of them
  ROWS   for "send", "redis" and "uploads": only the rows with one of these words in their name, and the floors;
         "redis" for "chat": through Redis too`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    console.log(USAGE);
    return;
  }
  const [name, ...rows] = positionals;
  if (name !== undefined && !Object.hasOwn(BENCHES, name))
    throw new Error(`No benchmark is called "${name}".\n${USAGE}`);

  const results: BenchResult[] = [];
  for (const [each, bench] of Object.entries(BENCHES)) {
    if (name !== undefined && name !== each) continue;
    console.log(`${each}: running, this takes a while ...`);
    const result = await bench(rows);
    printResult(result);
    results.push(result);
  }
  if (values.json !== undefined) {
    const { length } = cpus();
    const about = { node: process.version, platform: process.platform, arch: process.arch, cpuCount: length };
    writeFileSync(values.json, `${JSON.stringify({ ...about, results }, null, 2)}\n`);
    console.log(`Written to ${values.json}`);
  }
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
