// Gives the memory of stored chunks back at once, instead of when the garbage collector gets to it: decisions/016-chunks-are-given-back.md.

/** The buffers that nobody but the upload holds. */
const owned = new WeakSet<ArrayBufferLike>();

/** Marks a chunk that was made for this upload alone, by a host that knows. One that shares its buffer with others is left out. */
export function ownChunk(chunk: Uint8Array): void {
  if (chunk.byteLength === chunk.buffer.byteLength) owned.add(chunk.buffer);
}

/**
 * For sinks: `chunk` is stored, and nobody will look at it again. Its memory is free at once if the host has said that it is the upload's
 * alone; any other chunk is left as it is. The chunk is empty afterwards.
 */
export function releaseChunk(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (chunk.byteLength !== buffer.byteLength || !owned.delete(buffer)) return;
  if ("transfer" in buffer && typeof buffer.transfer === "function") buffer.transfer(0);
}
