// What `/api/transform` can do with a body as it flows.

import type { TransformOptions } from "tailrace";

/** One way to change a body: a piece goes in, and what comes back goes out. */
export interface Operation {
  readonly as: "text" | "lines";
  /** The type of what comes out. */
  readonly contentType: string;
  /** Made anew for each body, as some of them count. `from`: how many lines were counted before this body. */
  make(from: number): {
    readonly change: (piece: string) => string | undefined;
    readonly end?: TransformOptions<"text">["end"];
  };
}

const TEXT = "text/plain; charset=utf-8";

export const OPERATIONS = {
  upper: { as: "text", contentType: TEXT, make: () => ({ change: (piece) => piece.toUpperCase() }) },
  lower: { as: "text", contentType: TEXT, make: () => ({ change: (piece) => piece.toLowerCase() }) },
  number: {
    as: "lines",
    contentType: TEXT,
    make(from) {
      let count = from;
      return { change: (line) => `${++count}\t${line}` };
    },
  },
  rows: {
    as: "lines",
    contentType: "application/x-ndjson; charset=utf-8",
    make(from) {
      let count = from;
      return { change: (text) => JSON.stringify({ line: ++count, text }) };
    },
  },
  words: {
    as: "text",
    contentType: "application/json",
    make() {
      const count = new WordCount();
      return {
        change(piece) {
          count.add(piece);
          return undefined;
        },
        end: () => `${JSON.stringify(count.total)}\n`,
      };
    },
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

export interface WordTotal {
  readonly characters: number;
  readonly words: number;
  readonly lines: number;
}

/** Counts over pieces that may be cut within a word. */
export class WordCount {
  #characters = 0;
  #words = 0;
  #lines = 0;
  #isInWord = false;

  add(piece: string): void {
    for (const character of piece) {
      this.#characters++;
      if (character === "\n") this.#lines++;
      const isInWord = !/\s/u.test(character);
      if (isInWord && !this.#isInWord) this.#words++;
      this.#isInWord = isInWord;
    }
  }

  get total(): WordTotal {
    return { characters: this.#characters, words: this.#words, lines: this.#lines };
  }
}
