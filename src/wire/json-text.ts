// A value as JSON text, or a refusal that says which value and why: JSON.stringify itself answers `undefined` for some.

import { TailraceError } from "../errors.ts";

/**
 * `JSON.stringify(value)`, which never holds a raw CR or LF.
 *
 * @throws TailraceError `encode_refused` for what JSON has no text for: undefined, functions, symbols, bigints, cycles, and a `toJSON`
 * that throws or returns one of those. `what` names the value in the message.
 */
export function jsonText(value: unknown, what: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value) as string | undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TailraceError("encode_refused", `The ${what} cannot be written as JSON: ${reason}`, { cause });
  }
  if (text === undefined) {
    throw new TailraceError(
      "encode_refused",
      `The ${what} is ${describe(value)}, which JSON has no text for. Send null, or leave it out.`,
    );
  }
  return text;
}

function describe(value: unknown): string {
  if (value === undefined) return "undefined";
  return typeof value === "object" ? "an object whose toJSON returned nothing" : `a ${typeof value}`;
}
