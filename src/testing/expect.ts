// The few assertions that the store contract needs, so that it runs under any test runner.

import { isTailraceError, type ErrorCode } from "../errors.ts";

export function equal(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [show(actual), show(expected)];
  if (got !== wanted) throw new Error(`${what}: got ${got}, expected ${wanted}`);
}

export function isTrue(condition: boolean, what: string): void {
  if (!condition) throw new Error(`${what}: does not hold`);
}

/** Expects `promise` to reject with a TailraceError of `code`. @returns its details */
export async function rejects(
  promise: Promise<unknown>,
  code: ErrorCode,
  what: string,
): Promise<Readonly<Record<string, unknown>>> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if (!("error" in outcome)) throw new Error(`${what}: resolved, expected the error ${code}`);
  if (!isTailraceError(outcome.error, code)) {
    throw new Error(`${what}: failed otherwise than with ${code}`, { cause: outcome.error });
  }
  return outcome.error.details;
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => (inner instanceof Uint8Array ? [...inner] : inner)) ?? "undefined"
  );
}
