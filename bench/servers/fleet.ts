// Starts the child processes of the sending benchmark and ends every one of them, by its pid, on every way out.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ReadOrder, ReadResult } from "./reader.ts";

/** A server in a process of its own. */
export interface RunningServer {
  readonly port: number;
  /** The CPU time this process has used since it started, in microseconds. */
  cpuUs(): Promise<number>;
}

/** The reader, in a process of its own. */
export interface RunningReader {
  read(order: ReadOrder): Promise<ReadResult>;
}

/** A process that answers one order at a time with `{ answer }` or `{ error }`. */
export interface RunningWorker {
  /** Throws with what the worker reports as its error. */
  ask(order: object): Promise<unknown>;
}

/** All child processes of one benchmark. */
export interface Fleet {
  /** Starts `node ARGS` and waits until it listens. Throws with the child's last words when it does not. */
  startServer(name: string, args: readonly string[], cwd?: string): Promise<RunningServer>;
  startReader(): Promise<RunningReader>;
  /** Starts `node ARGS` and waits for its first answer. */
  startWorker(name: string, args: readonly string[]): Promise<RunningWorker>;
  /** Runs `node ARGS` until it ends. Throws with its last words when it fails or takes longer than `limitMs`. */
  runToEnd(name: string, args: readonly string[], cwd: string, limitMs: number): Promise<void>;
  /** Ends every child that still runs, and waits until they are gone. */
  end(): Promise<void>;
}

const ANSWER_LIMIT_MS = 60_000;
const END_LIMIT_MS = 2_000;
const LAST_WORDS_CHARS = 4_096;
const PRELOAD = new URL("./child.ts", import.meta.url).href;

function keepLastWords(child: ChildProcess): () => string {
  let lastWords = "";
  const keep = (text: string): void => {
    lastWords = (lastWords + text).slice(-LAST_WORDS_CHARS);
  };
  child.stdout?.setEncoding("utf8").on("data", keep);
  child.stderr?.setEncoding("utf8").on("data", keep);
  return () => lastWords;
}

export function createFleet(): Fleet {
  const children = new Set<ChildProcess>();

  const killAll = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    killAll();
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("exit", killAll);
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);

  function launch(args: readonly string[], cwd: string | undefined, talks: boolean): ChildProcess {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
      stdio: ["ignore", "pipe", "pipe", ...(talks ? (["ipc"] as const) : [])],
    });
    children.add(child);
    child.once("exit", () => children.delete(child));
    return child;
  }

  function start(name: string, args: readonly string[], cwd?: string): (message?: object | string) => Promise<unknown> {
    const child = launch(["--import", PRELOAD, ...args], cwd, true);
    const lastWords = keepLastWords(child);
    return (message) =>
      new Promise((resolve, reject) => {
        const settle = (failure?: string, answer?: unknown): void => {
          clearTimeout(timer);
          child.off("message", onMessage);
          child.off("exit", onExit);
          if (failure === undefined) resolve(answer);
          else reject(new Error(`The benchmark's child "${name}" failed: ${failure}.\n${lastWords()}`));
        };
        const onMessage = (answer: unknown): void => settle(undefined, answer);
        const onExit = (code: number | null): void => settle(`it ended with code ${String(code)}`);
        const timer = setTimeout(() => settle(`no answer within ${ANSWER_LIMIT_MS} ms`), ANSWER_LIMIT_MS);
        child.on("message", onMessage);
        child.on("exit", onExit);
        if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode);
        else if (message !== undefined) child.send(message, (error) => error && settle(error.message));
      });
  }

  return {
    async startServer(name, args, cwd) {
      const ask = start(name, args, cwd);
      const { port } = (await ask()) as { readonly port: number };
      return {
        port,
        async cpuUs() {
          const { cpuUs } = (await ask("cpu")) as { readonly cpuUs: number };
          return cpuUs;
        },
      };
    },
    async startReader() {
      const ask = start("reader", [fileURLToPath(new URL("./reader.ts", import.meta.url))]);
      await ask();
      return {
        async read(order) {
          return (await ask(order)) as ReadResult;
        },
      };
    },
    async startWorker(name, args) {
      const ask = start(name, args);
      await ask();
      return {
        async ask(order) {
          const { answer, error } = (await ask(order)) as { readonly answer?: unknown; readonly error?: string };
          if (error !== undefined) throw new Error(`The benchmark's child "${name}" reports: ${error}`);
          return answer;
        },
      };
    },
    async runToEnd(name, args, cwd, limitMs) {
      const child = launch(args, cwd, false);
      const lastWords = keepLastWords(child);
      const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
      const [code] = (await once(child, "close")) as [number | null];
      clearTimeout(timer);
      if (code !== 0) throw new Error(`${name} failed (code ${String(code)}, at most ${limitMs} ms).\n${lastWords()}`);
    },
    async end() {
      const all = [...children];
      const exits = all.map((child) => once(child, "exit"));
      // Closing the channel is how a child is told to go; the timer is for one that does not.
      for (const child of all) if (child.connected) child.disconnect();
      const timer = setTimeout(killAll, END_LIMIT_MS);
      await Promise.all(exits);
      clearTimeout(timer);
      process.off("exit", killAll);
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
