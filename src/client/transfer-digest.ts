// Digests as they are written in headers and options, and what to say when they differ.

import { TailraceError } from "../errors.ts";
import { Sha256 } from "../bytes/sha256.ts";

/** So much of a file is read at a time: 1 MiB. */
const READ_BYTES = 1_048_576;

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A SHA-256 given by the caller: 64 hexadecimal digits in any case. Throws `input_invalid` for anything else. */
export function checkSha256(text: string): string {
  if (/^[\da-f]{64}$/i.test(text)) return text.toLowerCase();
  const message = `The sha256 option has to be 64 hexadecimal digits, not ${text.length} characters of something else.`;
  throw new TailraceError("input_invalid", message, { details: { field: "sha256" } });
}

/** The SHA-256 in a `Repr-Digest` or `Content-Digest` (RFC 9530, section 2 and 3), in hexadecimal; null if there is none. */
export function sha256OfHeader(value: string | null): string | null {
  const base64 = /(?:^|,)\s*sha-256=:([\w+/]{43}=):/.exec(value ?? "")?.[1];
  if (base64 === undefined) return null;
  return toHex(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}

/** A SHA-256 in hexadecimal as the value of a `Repr-Digest` (RFC 9530, section 3). */
export function headerOfSha256(hex: string): string {
  const binary = hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)));
  return `sha-256=:${btoa(binary)}:`;
}

/** Reads a file through, in bounded memory. Throws `source_failed` when it cannot be read. */
export async function sha256OfBlob(blob: Blob, signal: AbortSignal): Promise<string> {
  const digest = new Sha256();
  for (let at = 0; at < blob.size; at += READ_BYTES) {
    signal.throwIfAborted();
    digest.update(await readBlob(blob.slice(at, at + READ_BYTES)));
  }
  return toHex(digest.digest());
}

/** The bytes of a small piece of a file. Throws `source_failed` when the file has changed or gone since it was chosen. */
export async function readBlob(piece: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await piece.arrayBuffer());
  } catch (cause) {
    const message = "The file cannot be read; it was changed, moved or locked since it was chosen. Choose it again.";
    throw new TailraceError("source_failed", message, { cause });
  }
}

/** The error for bytes that are not those that were announced. */
export function digestError(expected: string, actual: string, bytes: number): TailraceError {
  const message =
    `The ${bytes} bytes have the SHA-256 ${actual}, but ${expected} was announced: they were damaged on the way ` +
    "or are another file. Transfer them again.";
  return new TailraceError("digest_mismatch", message, { details: { expected, actual, bytes } });
}
