// Text as pieces of bytes, large enough for a file and encoded often: a long string of many parts costs the collector more than its bytes.

/** What a piece holds: 262,144 bytes. */
export const PIECE_BYTES = 262_144;

export class Utf8Pieces {
  #piece: Buffer | undefined;
  #filled = 0;

  /** Takes text, and gives the pieces that are full. */
  add(text: string): readonly Uint8Array[] {
    const full: Uint8Array[] = [];
    const mostBytes = text.length * 3; // UTF-8 has no more for one unit of UTF-16
    if (this.#filled + mostBytes > PIECE_BYTES) full.push(...this.rest());
    if (mostBytes > PIECE_BYTES) full.push(Buffer.from(text));
    else {
      this.#piece ??= Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.#filled += this.#piece.write(text, this.#filled);
    }
    return full;
  }

  /** What has been taken and not been given yet: a piece, or nothing. */
  rest(): readonly Uint8Array[] {
    if (this.#piece === undefined || this.#filled === 0) return [];
    const rest = this.#piece.subarray(0, this.#filled);
    this.#piece = undefined;
    this.#filled = 0;
    return [rest];
  }
}
