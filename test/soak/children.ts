// Writers as their parent sees them: started, listened to, killed.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Line } from "./lines.ts";
import type { WriterSpec } from "./writer.ts";

export const WRITER: string = join(import.meta.dirname, "writer.ts");

export class WriterProcess {
  readonly id: string;
  /** Resolves when it is gone and its last line is read. */
  readonly gone: Promise<void>;
  readonly #process: ChildProcess;
  #errors = "";

  constructor(spec: WriterSpec, onLine: (line: Line) => void) {
    this.id = spec.id;
    const child = spawn(process.execPath, ["--no-warnings", WRITER, JSON.stringify(spec)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    child.stderr.on("data", (text: Buffer) => (this.#errors += text.toString()));
    let isOver = false;
    const lines = createInterface(child.stdout);
    lines.on("line", (text) => {
      const line = lineOf(text);
      if (line === undefined) return;
      isOver ||= line.is === "over";
      onLine(line);
    });
    this.gone = Promise.all([once(child, "close"), once(lines, "close")]).then(() => {
      const wasKilled = child.signalCode === "SIGKILL";
      if (!wasKilled && !isOver) {
        const message = `${this.#errors.trim()} (exit code ${child.exitCode}, signal ${child.signalCode})`;
        onLine({ is: "fault", message });
      }
    });
  }

  get wasKilled(): boolean {
    return this.#process.signalCode === "SIGKILL";
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

/** A line that was cut off by the end of its writer says nothing. */
export function lineOf(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}
