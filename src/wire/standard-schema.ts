// The part of Standard Schema v1 that is needed to check a value, so that any validator can be handed in and none is depended on.

import { TailraceError } from "../errors.ts";

/** The part of Standard Schema v1 that is needed to check a value (zod, valibot and arktype have it). */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/**
 * Checks `value` at once. `what` names it in the message, as in "Row 3 (line 3)".
 *
 * @throws TailraceError `decode_failed` when the schema refuses it, `input_invalid` when the schema answers with a promise.
 */
export function checkNow<T>(schema: StandardSchema<T>, value: unknown, what: string): T {
  const result = schema["~standard"].validate(value);
  if ("then" in result) {
    result.catch(() => undefined);
    throw new TailraceError(
      "input_invalid",
      "The schema is asynchronous, which a decoder cannot wait for. Give one that answers at once, or check the values yourself.",
    );
  }
  if (result.issues === undefined) return result.value;
  const said = result.issues.map((issue) => issue.message).join("; ");
  throw new TailraceError(
    "decode_failed",
    `${what} was refused by the schema: ${said === "" ? "no reason given" : said}`,
  );
}
