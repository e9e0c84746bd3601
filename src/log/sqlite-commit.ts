// Group commit: what is asked for in one turn of the event loop is one transaction. Grouping a hundred appends costs
// little more than committing one.

import type { DatabaseSync } from "node:sqlite";
import { afterTurn } from "../clock.ts";
import { TailraceError } from "../errors.ts";
import { isSqliteError, SQLITE_BUSY, workError } from "./sqlite-schema.ts";

/** The most writes that one transaction holds, so that a flood does not block the event loop. */
export const MAX_WRITES_PER_COMMIT = 500;
/** The most writes that may wait; one more is refused with `store_unavailable`. */
export const MAX_WAITING_WRITES = 100_000;
/** How long a commit tries again while another process holds the file, in milliseconds. */
const MAX_BUSY_MS = 5_000;
const BUSY_RETRY_MS = 5;

interface Write {
  readonly work: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs writes in order, many to a transaction. A write must check all it has to before it changes anything. */
export class Committer {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #afterCommit: () => void;
  #waiting: Write[] = [];
  #scheduled = false;
  #busySinceMs: number | undefined;

  constructor(database: DatabaseSync, path: string, afterCommit: () => void) {
    this.#database = database;
    this.#path = path;
    this.#afterCommit = afterCommit;
  }

  /** Runs `work` inside the next transaction; resolves with its result once that is committed. */
  submit<T>(work: () => T): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING_WRITES) {
      const message = `${MAX_WAITING_WRITES.toLocaleString("en")} writes wait for ${this.#path} already; await each append.`;
      return Promise.reject(new TailraceError("store_unavailable", message));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#schedule();
    });
  }

  /** Commits what waits, now. Used at the end of life. */
  flush(): void {
    while (this.#waiting.length > 0 && this.#commit()) {
      // each round takes up to MAX_WRITES_PER_COMMIT
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const run = (): void => {
      this.#scheduled = false;
      const done = this.#commit();
      if (this.#waiting.length === 0) return;
      if (done) this.#schedule();
      else {
        this.#scheduled = true;
        setTimeout(run, BUSY_RETRY_MS * (1 + Math.random()));
      }
    };
    afterTurn(run);
  }

  /** One transaction. @returns false if another process holds the file and the writes still wait */
  #commit(): boolean {
    const writes = this.#waiting.slice(0, MAX_WRITES_PER_COMMIT);
    const outcomes: (() => void)[] = [];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const write of writes) outcomes.push(outcomeOf(write));
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("ROLLBACK");
      if (isSqliteError(error, SQLITE_BUSY) && this.#mayWait()) return false;
      this.#waiting.splice(0, writes.length);
      for (const write of writes) write.reject(workError(error, this.#path));
      this.#busySinceMs = undefined;
      return true;
    }
    this.#busySinceMs = undefined;
    this.#waiting.splice(0, writes.length);
    for (const settle of outcomes) settle();
    this.#afterCommit();
    return true;
  }

  #mayWait(): boolean {
    this.#busySinceMs ??= performance.now();
    return performance.now() - this.#busySinceMs < MAX_BUSY_MS;
  }
}

/** Runs one write. A refusal is its own caller's alone; any other fault undoes the whole transaction. */
function outcomeOf(write: Write): () => void {
  try {
    const value = write.work();
    return () => write.resolve(value as never);
  } catch (error) {
    if (!(error instanceof TailraceError)) throw error;
    return () => write.reject(error);
  }
}
