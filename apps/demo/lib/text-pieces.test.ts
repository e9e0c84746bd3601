import { describe, expect, test } from "vitest";
import { countLines, textPieces } from "./text-pieces.ts";

async function piecesOf(text: string | Uint8Array<ArrayBuffer>, pieceBytes: number): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of textPieces(new Blob([text]), pieceBytes)) pieces.push(piece);
  return pieces;
}

describe("textPieces()", () => {
  const text = "eins\nzwei → 東京\n\n🙂🙂🙂🙂🙂🙂🙂🙂 without an end\nlast";

  test.each([4, 5, 7, 16, 64, 1_000])("pieces of %i bytes are the whole, and no character is cut", async (size) => {
    const pieces = await piecesOf(text, size);
    const decoder = new TextDecoder("utf-8", { fatal: true });
    expect(pieces.map((piece) => decoder.decode(piece)).join("")).toBe(text);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(size);
  });

  test("cuts behind the last line end of a piece", async () => {
    const pieces = await piecesOf("ab\ncd\nefgh", 8);
    expect(pieces.map((piece) => new TextDecoder().decode(piece))).toEqual(["ab\ncd\n", "efgh"]);
  });

  test("gives bytes that are no text as they are", async () => {
    const bytes = new Uint8Array(20).fill(0x80);
    const pieces = await piecesOf(bytes, 8);
    expect(pieces.map((piece) => piece.length)).toEqual([8, 8, 4]);
  });

  test("gives nothing of an empty file", async () => {
    expect(await piecesOf("", 8)).toEqual([]);
  });
});

test("countLines() counts line ends", () => {
  expect(countLines(new TextEncoder().encode("a\nb\n\nc"))).toBe(3);
});
