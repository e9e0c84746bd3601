// Digests of bytes that pass by: the host's own where it has them, SHA-256 of our own where it does not.

import { Sha256 } from "../bytes/sha256.ts";

/** A digest being made. */
export interface Hasher {
  update(bytes: Uint8Array): unknown;
  /** Call it once; nothing can be added afterwards. */
  digest(): Uint8Array;
}

interface ProcessLike {
  getBuiltinModule?(id: "node:crypto"): { createHash(algorithm: string): Hasher } | undefined;
}

/** `sha-256` and `sha-512` are the active algorithms of RFC 9530; `sha1` is what tus clients send. */
export type HashAlgorithm = "sha-256" | "sha-512" | "sha1" | "md5";

/** A hasher, or undefined where the host does not have that algorithm. `sha-256` is there always. */
export function createHasher(algorithm: HashAlgorithm): Hasher | undefined {
  // Through `process` instead of an import, so that the module also loads where there is no node:crypto. Web Crypto hashes whole
  // buffers only.
  const host = (globalThis as { process?: ProcessLike }).process;
  const crypto = host?.getBuiltinModule?.("node:crypto");
  if (crypto !== undefined) return crypto.createHash(algorithm.replace("-", ""));
  return algorithm === "sha-256" ? new Sha256() : undefined;
}

/** Bytes as hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
