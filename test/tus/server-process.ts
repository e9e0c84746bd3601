// The upload server as its parent sees it: started, watched, killed, started again on the same port.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Report } from "./server.ts";

type Of<Is extends Report["is"]> = Extract<Report, { is: Is }>;

export class ServerProcess {
  readonly #folder: string;
  readonly #watchers: Set<(report: Report) => void> = new Set();
  readonly reports: Report[] = [];
  #process: ChildProcess | undefined;
  #port = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}/files/`;
  }

  async start(): Promise<void> {
    const child = fork(join(import.meta.dirname, "server.ts"), [this.#folder, String(this.#port)]);
    this.#process = child;
    child.on("message", (report: Report) => {
      this.reports.push(report);
      for (const watcher of this.#watchers) watcher(report);
    });
    this.#port = (await this.next("ready")).port;
  }

  /** The next report of its kind that fits. */
  next<Is extends Report["is"]>(is: Is, fits: (report: Of<Is>) => boolean = () => true): Promise<Of<Is>> {
    return new Promise((resolve) => {
      const watch = (report: Report): void => {
        if (report.is !== is || !fits(report as Of<Is>)) return;
        this.#watchers.delete(watch);
        resolve(report as Of<Is>);
      };
      this.#watchers.add(watch);
    });
  }

  /** SIGKILL: nothing is flushed, nothing is said. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
}
