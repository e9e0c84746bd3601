import { transform } from "tailrace";
import { asChoice, asCount } from "../../../lib/input.ts";
import { route } from "../../../lib/route.ts";
import { OPERATIONS, type Operation, type OperationName } from "../../../lib/transforms.ts";

const NAMES = Object.keys(OPERATIONS) as OperationName[];

/**
 * The body, changed as it flows: what has come back may be read while the rest is still being sent. `from` is how many lines
 * came in earlier bodies of the same text.
 */
export const POST = route((request) => {
  const query = new URL(request.url).searchParams;
  const op = asChoice(query.get("op"), "op", NAMES);
  const from = asCount(query.get("from"), "from", 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const operation: Operation = OPERATIONS[op];
  const { as, contentType } = operation;
  const { change, end } = operation.make(from);
  return transform(request, change, { as, contentType, end });
});
