// Writers whose every write to a file is recorded, so that the power can be cut at any moment afterwards.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lineOf, WRITER } from "./children.ts";
import type { Line } from "./lines.ts";
import type { Oracle } from "./oracle.ts";
import { Violation } from "./rules.ts";
import { readCalls, straceArguments, type FileCall } from "./syscalls.ts";
import type { WriterSpec } from "./writer.ts";

/** What the writers have said, and when: the line of the log at which it stood in their output. */
export interface Said {
  readonly at: number;
  readonly life: string;
  readonly line: Line;
}

export interface Recording {
  readonly calls: readonly FileCall[];
  readonly said: readonly Said[];
}

/** Starts each writer with its output in a file of its own, and waits for all. `$0` is node; the arguments are id, spec, id, spec … */
const RUN_ALL =
  'writer=$1; out=$2; shift 2; while [ $# -gt 0 ]; do "$0" --no-warnings "$writer" "$2" >>"$out/$1" 2>>"$out/$1.err" & all="$all $!"; shift 2; done; wait $all';

/** Runs `writers` to their end. `server` is a command that runs beside them, under the same eyes, and is killed at the end. */
export async function record(
  folder: string,
  writers: readonly WriterSpec[],
  server?: { readonly script: string; readonly strace: readonly string[] },
): Promise<Recording> {
  const out = join(folder, "said");
  const log = join(folder, "calls.log");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const script = server === undefined ? RUN_ALL : `${server.script}\n${RUN_ALL}; kill -KILL $server; wait $server`;
  const told = writers.flatMap((writer) => [writer.id, JSON.stringify(writer)]);
  const program = process.env["TAILRACE_STRACE"] ?? "strace";
  const args = [...straceArguments(log), ...(server?.strace ?? []), "sh", "-c", script, process.execPath, WRITER, out];
  const child = spawn(program, [...args, ...told], { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  await once(child, "close");
  const calls = readCalls(readFileSync(log, "utf8"), folder);
  rmSync(log);

  const said: Said[] = [];
  const rest = new Map<string, string>();
  for (const call of calls) {
    if (call.is !== "write" || !call.path.startsWith(`${out}/`) || call.path.endsWith(".err")) continue;
    const life = call.path.slice(out.length + 1);
    const parts = ((rest.get(life) ?? "") + call.bytes.toString()).split("\n");
    rest.set(life, parts.pop()!);
    for (const part of parts) {
      const line = lineOf(part);
      if (line !== undefined) said.push({ at: call.line, life, line });
    }
  }
  for (const { id } of writers) {
    if (said.some(({ life, line }) => life === id && line.is === "over")) continue;
    const why = readFileSync(join(out, `${id}.err`), "utf8");
    throw new Violation(`${id} did not come to its end: ${why} ${errors}`);
  }
  return { calls: calls.filter(({ path }) => !path.startsWith(out)), said };
}

/** Has the oracle hear what was said before `cutLine`. */
export function hear(oracle: Oracle, { said }: Recording, cutLine: number): void {
  for (const { at, life, line } of said) if (at < cutLine) oracle.take(life, line);
}
