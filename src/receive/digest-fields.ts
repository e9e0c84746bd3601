// Content-Digest and Repr-Digest of a request (RFC 9530): read before the body, checked after it.

import { TailraceError } from "../errors.ts";
import { createHasher, type HashAlgorithm, type Hasher } from "./hash.ts";

/** One digest that the sender promised. */
interface Promised {
  readonly field: string;
  readonly algorithm: HashAlgorithm;
  /** In base64, as it was sent. */
  readonly value: string;
}

/** The insecure and unknown ones are ignored, as RFC 9530 section 5 allows. */
const ALGORITHMS: ReadonlySet<string> = new Set<HashAlgorithm>(["sha-256", "sha-512"]);

/** A member of a dictionary of byte sequences (RFC 9651 sections 3.2 and 3.3.5), its parameters left out. */
const MEMBER = /^[ \t]*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):[ \t]*(?:;[^,"]*)?$/;

/** Checks a body against the digests that its request promises. */
export class DigestCheck {
  readonly #promised: readonly Promised[];
  readonly #hashers: Map<HashAlgorithm, Hasher> = new Map();

  /** @throws {TailraceError} `decode_failed` if a field cannot be read: a digest that was meant to be checked is not passed over. */
  constructor(headers: Headers) {
    // Without a content coding and without a range, the representation is the content: both fields mean the same bytes.
    this.#promised = ["content-digest", "repr-digest"].flatMap((field) => promisedIn(field, headers.get(field)));
    for (const { algorithm } of this.#promised) {
      const hasher = this.#hashers.has(algorithm) ? undefined : createHasher(algorithm);
      if (hasher !== undefined) this.#hashers.set(algorithm, hasher);
    }
  }

  /** Whether there is anything to check. */
  get isNeeded(): boolean {
    return this.#hashers.size > 0;
  }

  update(bytes: Uint8Array): void {
    for (const hasher of this.#hashers.values()) hasher.update(bytes);
  }

  /** @throws {TailraceError} `digest_mismatch` */
  check(): void {
    const digests = new Map([...this.#hashers].map(([algorithm, hasher]) => [algorithm, toBase64(hasher.digest())]));
    for (const { field, algorithm, value } of this.#promised) {
      const actual = digests.get(algorithm);
      if (actual === undefined || actual === value) continue;
      const message = `The body's ${algorithm} is not what ${field} says: it was changed on its way. Send it again.`;
      throw new TailraceError("digest_mismatch", message, { details: { field, algorithm, expected: value, actual } });
    }
  }
}

function promisedIn(field: string, header: string | null): readonly Promised[] {
  if (header === null || header.trim() === "") return [];
  return header.split(",").flatMap((member) => {
    const [, algorithm, value] = MEMBER.exec(member) ?? [];
    if (algorithm === undefined || value === undefined) {
      const message = `The field ${field} is not a list of digests; write it as sha-256=:base64:.`;
      throw new TailraceError("decode_failed", message, { details: { field } });
    }
    return ALGORITHMS.has(algorithm) ? [{ field, algorithm: algorithm as HashAlgorithm, value }] : [];
  });
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
