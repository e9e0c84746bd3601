// The upload server as its parent sees it: started, watched, killed, started again on the same port.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Death, Report } from "./server.ts";

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

  /** Starts it, anew after its end, on the same port; to die at `death`. */
  async start(death: Death | null = null): Promise<void> {
    const args = [this.#folder, String(this.#port), JSON.stringify(death)];
    const child = fork(join(import.meta.dirname, "server.ts"), args);
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

  /** Lets the running process die at `death`. */
  async arm(death: Death): Promise<void> {
    const armed = this.next("armed");
    this.#process?.send(death);
    await armed;
  }

  /** Resolves once the process has ended, by whatever signal. */
  async ended(): Promise<NodeJS.Signals | null> {
    const child = this.#process!;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.signalCode;
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
