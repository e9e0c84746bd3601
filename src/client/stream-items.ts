// From what a body said to what a reader gets: decoding, checking, the end marker, and the names that mean something.

import { isTailraceError, TailraceError } from "../errors.ts";
import type { OpenOptions, RawEvent, SchemaResult, StreamEnd, StreamGap, StreamItem } from "./stream-types.ts";

const REASONS: readonly string[] = ["completed", "stopped", "failed", "interrupted"];

function asRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The end that PROTOCOL.md, section 1.5, writes: an event `end` or `error` whose JSON has a `reason`. An `error` event
 * of anyone else, without such a reason, is an ordinary item.
 */
export function readEnd(event: RawEvent): StreamEnd | undefined {
  if (event.event !== "end" && event.event !== "error") return undefined;
  const data = asRecord(event.data);
  const reason = data?.["reason"];
  if (typeof reason !== "string" || !REASONS.includes(reason)) return undefined;
  const { code, message } = data as { readonly code?: unknown; readonly message?: unknown };
  return {
    reason: reason as StreamEnd["reason"],
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof message === "string" ? { message } : {}),
  };
}

/** The data of a `gap` event (PROTOCOL.md, section 1.4). */
export function readGap(data: string): StreamGap {
  const { asked, earliest, latest } = asRecord(data) ?? {};
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return { asked: text(asked), earliest: text(earliest), latest: text(latest) };
}

/** The gap that a comment of a UI message stream tells of (PROTOCOL.md, section 7); undefined for any other comment. */
export function readGapComment(comment: string): StreamGap | undefined {
  if (!comment.startsWith("gap {")) return undefined;
  const gap = readGap(comment.slice(4));
  // Anybody may write comments: this one is ours.
  return gap.asked !== undefined && gap.earliest !== undefined ? gap : undefined;
}

function refuse(event: string, why: string, cause?: unknown): TailraceError {
  const message = `An item (event "${event}") could not be decoded: ${why}`;
  return new TailraceError("decode_failed", message, cause === undefined ? {} : { cause });
}

function judge<T>(event: string, result: SchemaResult<T>): T {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map((issue) => issue.message).join("; ");
  throw refuse(event, `the schema says: ${issues === "" ? "no reason given" : issues}`);
}

/** Makes the function that decodes and checks. It gives a promise only when the schema does; failures are `decode_failed`. */
export function createDecode<T>(
  options: Pick<OpenOptions<T>, "decode" | "schema">,
): (event: string, data: string, id: string) => StreamItem<T> | Promise<StreamItem<T>> {
  const check = createCheck(options);
  const { decode = "json" } = options;
  return (event, data, id) => {
    if (typeof decode === "function") {
      let value: T;
      try {
        value = decode(data, event);
      } catch (cause) {
        throw isTailraceError(cause) ? cause : refuse(event, "the decode function threw.", cause);
      }
      return check(event, value, id);
    }
    if (decode === "text") return check(event, data, id);
    let value: unknown = data;
    try {
      value = JSON.parse(data);
    } catch {
      // A server sends strings bare (PROTOCOL.md, section 1.3), so text that is not JSON is itself the value.
    }
    return check(event, value, id);
  };
}

/** Makes the function that checks a value and wraps it as an item. */
export function createCheck<T>(
  options: Pick<OpenOptions<T>, "schema">,
): (event: string, value: unknown, id: string) => StreamItem<T> | Promise<StreamItem<T>> {
  const schema = options.schema?.["~standard"];
  return (event, value, id) => {
    if (schema === undefined) return { event, data: value as T, id };
    const result = schema.validate(value);
    if (!(result instanceof Promise)) return { event, data: judge(event, result), id };
    return result.then((settled) => ({ event, data: judge(event, settled), id }));
  };
}
