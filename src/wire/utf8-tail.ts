// Where a piece of UTF-8 may be cut: no character that goes on in the next piece may be decoded early.

/**
 * How many bytes at the end of `bytes` are the start of a character whose rest is still to come: 0 to 3.
 *
 * A cut just before a lead byte is always safe, even inside invalid input: a decoder that waits for a continuation byte and gets
 * a lead byte gives up with U+FFFD, exactly as it does at the end of its input (WHATWG Encoding, section 8.1.1).
 */
export function unfinishedTail(bytes: Uint8Array): number {
  const size = bytes.length;
  for (let back = 1; back <= 3 && back <= size; back++) {
    const byte = bytes[size - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      // C0, C1 and F5 to FF begin no character: nothing that comes can make them one.
      if (byte < 0xc2 || byte > 0xf4) return 0;
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? back : 0;
    }
  }
  return 0;
}
