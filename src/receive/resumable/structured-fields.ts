// The few structured fields (RFC 9651) that the IETF draft of resumable uploads needs. What is malformed counts as absent, as the draft
// says of each of them.

import { fromBase64 } from "./base64.ts";
import { type ExpectedDigest, httpAlgorithm } from "./digest.ts";
import { headerInvalid } from "./upload-errors.ts";

/** Parameters of an item: nobody here gives them a meaning. */
const PARAMETERS = String.raw`(?: *; *[a-z*][a-z0-9_.*-]*(?:=[^;,]*)?)*`;
const BOOLEAN = new RegExp(String.raw`^\?([01])${PARAMETERS}$`);
/** RFC 9651 section 3.3.1: at most 15 digits. A negative one is of no use to us. */
const INTEGER = new RegExp(String.raw`^(\d{1,15})${PARAMETERS}$`);
const DIGEST = new RegExp(String.raw`^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):${PARAMETERS}$`);
const PREFERENCE = new RegExp(String.raw`^([a-z*][a-z0-9_.*-]*)=(\d{1,2})${PARAMETERS}$`);

export function readBoolean(headers: Headers, name: string): boolean | undefined {
  const digit = BOOLEAN.exec(headers.get(name) ?? "")?.[1];
  return digit === undefined ? undefined : digit === "1";
}

export function readInteger(headers: Headers, name: string): number | undefined {
  const digits = INTEGER.exec(headers.get(name) ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export function writeBoolean(value: boolean): string {
  return value ? "?1" : "?0";
}

/**
 * `Content-Digest` or `Repr-Digest` (RFC 9530): the strongest that we can compute; undefined if there is none.
 *
 * @throws 400 if the header is malformed: a check that was asked for is not left out in silence.
 */
export function readDigest(headers: Headers, field: string): ExpectedDigest | undefined {
  const header = headers.get(field);
  if (header === null) return undefined;
  const found = header.split(",").flatMap((member): ExpectedDigest[] => {
    const [, name, text] = DIGEST.exec(member.trim()) ?? [];
    const value = text === undefined ? undefined : fromBase64(text);
    if (name === undefined || value === undefined) throw headerInvalid(field, "it takes algorithm=:base64:");
    const algorithm = httpAlgorithm(name); // RFC 9530 section 5: others are passed over
    return algorithm === undefined ? [] : [{ name, algorithm, value }];
  });
  return found.toSorted((a, b) => b.value.byteLength - a.value.byteLength)[0];
}

/** `Want-Repr-Digest` (RFC 9530 section 4): the algorithm that is most wanted of those that we have; 0 means not wanted. */
export function readWantedDigest(headers: Headers): string | undefined {
  const wanted = (headers.get("want-repr-digest") ?? "").split(",").flatMap((member) => {
    const match = PREFERENCE.exec(member.trim());
    return match?.[1] !== undefined && httpAlgorithm(match[1]) !== undefined && Number(match[2]) > 0
      ? [{ algorithm: match[1], weight: Number(match[2]) }]
      : [];
  });
  return wanted.toSorted((a, b) => b.weight - a.weight)[0]?.algorithm;
}
