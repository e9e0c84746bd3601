// What may stand between two cells, for those that write them and those that read them.

import { TailraceError } from "../errors.ts";

/** Throws `input_invalid` unless `delimiter` is one character that means nothing else in the format. */
export function checkDelimiter(delimiter: string): void {
  if (delimiter.length === 1 && !/["\r\n \uFEFF\uD800-\uDFFF]/.test(delimiter)) return;
  const message = `A delimiter is one character other than ", CR, LF and space, not ${JSON.stringify(delimiter)}.`;
  throw new TailraceError("input_invalid", message, { details: { field: "delimiter" } });
}
