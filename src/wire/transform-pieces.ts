// The way in of a transform: bytes as they come, cut into the pieces that its function is given.

import { createLineDecoder } from "./lines.ts";
import { createRowDecoder } from "./ndjson.ts";
import { createStrictText } from "./transform-text.ts";
import type { PieceOptions, TransformAs } from "./transform-types.ts";

/** Cuts one body. What it finds goes to the `onPiece` that it was made with, also when it throws afterwards. */
export interface Cutter {
  push(bytes: Uint8Array): void;
  end(): void;
  /** Whether it still needs the bytes, or what it gave out of them, once `push` has returned. */
  readonly keepsBytes: boolean;
}

/** Makes the cutter of `as`. Throws `input_invalid` for limits that are none. */
export function createCutter(as: TransformAs, options: PieceOptions, onPiece: (piece: unknown) => void): Cutter {
  switch (as) {
    case "bytes":
      return { push: onPiece, end: () => undefined, keepsBytes: true };
    case "text":
      return textCutter(options, onPiece);
    case "lines":
      return checked(options, createLineDecoder({ onLine: onPiece, maxLineBytes: options.maxLineBytes }));
    case "rows":
      return checked(options, createRowDecoder({ ...options, onRow: onPiece }));
  }
}

function textCutter(options: PieceOptions, onPiece: (piece: unknown) => void): Cutter {
  const decoder = createStrictText(options.invalidText ?? "refuse");
  const give = (text: string): void => {
    if (text !== "") onPiece(text);
  };
  return { push: (bytes) => give(decoder.push(bytes)), end: () => give(decoder.end()), keepsBytes: false };
}

/** The decoders of lines and rows replace what is not UTF-8; where that is refused, all bytes of a piece are looked at before. */
function checked(options: PieceOptions, inner: Pick<Cutter, "push" | "end">): Cutter {
  if (options.invalidText === "replace") return { push: inner.push, end: inner.end, keepsBytes: false };
  const check = createStrictText("refuse");
  return {
    push(bytes) {
      check.push(bytes);
      inner.push(bytes);
    },
    end() {
      check.end();
      inner.end();
    },
    keepsBytes: false,
  };
}
