// What the decoders of rows have in common: limits on the whole body, and schemas that fail themselves.

import { isTailraceError, TailraceError } from "../errors.ts";

/** @throws TailraceError `input_invalid` for a limit that is no number of at least 1 */
export function checkLimit(name: string, limit: number, unit: string): void {
  if (limit >= 1) return;
  throw new TailraceError("input_invalid", `${name} must be a number of at least 1 ${unit}, not ${String(limit)}.`);
}

export function tooMany(name: string, limit: number, unit: string): TailraceError {
  const message = `There are more than ${limit} ${unit} (${name}). Raise ${name}, or ask for less.`;
  return new TailraceError("limit_exceeded", message, { details: { [name]: limit } });
}

/** What the schema itself threw is no fault of the row, and no policy passes over it. */
export function schemaFailed(cause: unknown): TailraceError {
  if (isTailraceError(cause)) return cause;
  return new TailraceError("decode_failed", "A row could not be checked: the schema threw.", { cause });
}
