// A worker as its test sees it: started over a folder, told what to do, listened to, killed at the end.

import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { Order, Report } from "./worker.ts";

export class WorkerProcess {
  readonly reports: Report[] = [];
  readonly #process: ChildProcess;
  readonly #watchers = new Set<() => void>();

  constructor(path: string, leaseMs: number) {
    this.#process = fork(join(import.meta.dirname, "worker.ts"), [path, String(leaseMs)]);
    this.#process.on("message", (report: Report) => {
      this.reports.push(report);
      for (const watcher of this.#watchers) watcher();
    });
  }

  tell(order: Order): void {
    this.#process.send(order);
  }

  /** The first report that fits, also one that has come already. */
  report<T extends Report["is"]>(
    is: T,
    fits: (report: Extract<Report, { is: T }>) => boolean = () => true,
  ): Promise<Extract<Report, { is: T }>> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.reports.find(
          (report): report is Extract<Report, { is: T }> => report.is === is && fits(report as never),
        );
        if (found === undefined) return;
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }

  items(): Extract<Report, { is: "item" }>[] {
    return this.reports.filter((report) => report.is === "item");
  }

  /** Ends the process, by default without a warning. Resolves when it is gone. */
  kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) return resolve();
      this.#process.once("exit", () => resolve());
      this.#process.kill(signal);
    });
  }
}
