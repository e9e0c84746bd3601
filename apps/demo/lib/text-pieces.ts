// Cuts a text file into pieces that can be sent one by one: behind a line end where there is one, and never within a character.

const LF = 0x0a;

/** Gives the pieces in order; each has at most `pieceBytes` bytes (at least 4), and together they are the file. */
export async function* textPieces(file: Blob, pieceBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  for (let at = 0; at < file.size;) {
    const bytes = new Uint8Array(await file.slice(at, at + pieceBytes).arrayBuffer());
    const isLast = at + bytes.length >= file.size;
    const piece = isLast ? bytes : bytes.subarray(0, cutOf(bytes));
    at += piece.length;
    yield piece;
  }
}

/** How many of `bytes` may go alone. */
function cutOf(bytes: Uint8Array): number {
  const lineEnd = bytes.lastIndexOf(LF);
  if (lineEnd >= 0) return lineEnd + 1;
  // No line end: before the character that may be unfinished. Bytes that are no UTF-8 are cut anywhere.
  for (let back = 1; back <= 4 && back < bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return bytes.length - back + 1;
    if (byte >= 0xc0) return bytes.length - back;
  }
  return bytes.length;
}

export function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) count++;
  return count;
}
