// What requests bring: each field checked, and each fault told with the field's name.

import { TailraceError } from "tailrace";

/** The fields of a JSON object. @throws {TailraceError} `input_invalid` (422) if it is none */
export function asObject(value: unknown, field = "body"): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(field, "is a JSON object");
}

/** A text of `min` to `max` characters. */
export function asText(value: unknown, field: string, min: number, max: number): string {
  if (typeof value === "string" && value.length >= min && value.length <= max && value.isWellFormed()) return value;
  throw invalid(field, `is a text of ${min} to ${max.toLocaleString("en")} characters`);
}

/** A whole number in digits, from `min` to `max`; undefined stays undefined. */
export function asCount(value: string | null, field: string, min: number, max: number): number | undefined {
  if (value === null) return undefined;
  const count = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (count >= min && count <= max) return count;
  throw invalid(field, `is a whole number from ${min} to ${max.toLocaleString("en")}`);
}

/** One of `choices`. */
export function asChoice<T extends string>(value: unknown, field: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === value);
  if (choice !== undefined) return choice;
  throw invalid(field, `is one of ${choices.join(", ")}`);
}

export function invalid(field: string, rule: string): TailraceError {
  return new TailraceError("input_invalid", `${field} ${rule}.`, { details: { field } });
}
