// The digests that the two protocols announce, by their names there, computed as the bytes go by.

import { createHasher, type HashAlgorithm, type Hasher } from "../hash.ts";

/** The names of tus; it demands the first (tus "Checksum"). */
const TUS_NAMES: ReadonlyMap<string, HashAlgorithm> = new Map([
  ["sha1", "sha1"],
  ["sha256", "sha-256"],
  ["sha512", "sha-512"],
  ["md5", "md5"],
]);
/** RFC 9530 section 7.2: those that are not deprecated. */
const HTTP_NAMES: ReadonlyMap<string, HashAlgorithm> = new Map([
  ["sha-256", "sha-256"],
  ["sha-512", "sha-512"],
]);

/** A digest that a sender announced. */
export interface ExpectedDigest {
  /** As the sender wrote it. */
  readonly name: string;
  readonly algorithm: HashAlgorithm;
  readonly value: Uint8Array;
}

/** The algorithms of the tus checksum extension that this host has: none where it cannot do SHA-1, which tus demands. */
export function tusAlgorithms(): readonly string[] {
  if (createHasher("sha1") === undefined) return [];
  return [...TUS_NAMES].flatMap(([name, algorithm]) => (createHasher(algorithm) === undefined ? [] : [name]));
}

export function tusAlgorithm(name: string): HashAlgorithm | undefined {
  return tusAlgorithms().includes(name) ? TUS_NAMES.get(name) : undefined;
}

export function httpAlgorithm(name: string): HashAlgorithm | undefined {
  const algorithm = HTTP_NAMES.get(name);
  return algorithm === undefined || createHasher(algorithm) === undefined ? undefined : algorithm;
}

/** The digest of all bytes of `chunks`. */
export async function digestOf(chunks: AsyncIterable<Uint8Array>, algorithm: HashAlgorithm): Promise<Uint8Array> {
  const hasher = hasherFor(algorithm);
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.digest();
}

/** A hasher of an algorithm that was found to be there before. */
export function hasherFor(algorithm: HashAlgorithm): Hasher {
  const hasher = createHasher(algorithm);
  if (hasher === undefined) throw new TypeError(`This host has no ${algorithm}.`);
  return hasher;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}
