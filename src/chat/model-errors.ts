// What went wrong with a model: the errors of its client, of fetch and of its stream, as one of a few kinds.

import { isTailraceError, TailraceError } from "../errors.ts";
import { parseHttpDate } from "../http/http-date.ts";

/** What an error of a model means for whoever asked. */
export type ModelErrorKind =
  | "rate_limit"
  | "context_length"
  | "content_filter"
  | "overloaded"
  | "authentication"
  | "network"
  | "timeout"
  | "invalid_request"
  | "unknown";

/** An error of a model, classified. */
export interface ModelError {
  readonly kind: ModelErrorKind;
  /** How long the provider asks to wait, in milliseconds, at most 10 minutes. */
  readonly retryAfterMs?: number | undefined;
  /** Whether the same request may succeed when it is made again. */
  readonly isTransient: boolean;
  /** What a reader may see: nothing of the provider's own words is in it. */
  readonly message: string;
}

/** The longest wait that is believed: 10 minutes. A longer one is taken as this. */
const MAX_RETRY_AFTER_MS = 600_000;
/** How deep `cause` and `error` are followed. */
const MAX_DEPTH_COUNT = 5;

const MESSAGES: Readonly<Record<ModelErrorKind, string>> = {
  rate_limit: "The model takes no more requests at the moment. Try again later.",
  context_length: "The conversation is too long for the model. Start a new one, or make it shorter.",
  content_filter: "The provider of the model refused the request or its answer.",
  overloaded: "The model is overloaded. Try again in a moment.",
  authentication: "The model refused this server's credentials. Its operator has to look into it.",
  network: "The connection to the model failed or broke off. Try again.",
  timeout: "The model did not answer in time. Try again.",
  invalid_request: "The model did not accept the request.",
  unknown: "The model failed.",
};

type Fields = Readonly<Record<string, unknown>>;

interface Facts {
  status: number | undefined;
  /** Codes, types and names, in lower case. */
  readonly words: string[];
  readonly messages: string[];
  retryAfterMs: number | undefined;
  isTypeError: boolean;
}

/** Codes and types of providers, and of Node's sockets, that say all by themselves. The first kind that fits is taken. */
const WORDS: readonly (readonly [ModelErrorKind, RegExp])[] = [
  ["context_length", /^(context_length_exceeded|context_window_exceeded|string_above_max_length|request_too_large)$/],
  [
    "content_filter",
    /^(content_filter|.*content_policy_violation|.*responsibleaipolicyviolation|bio_policy|misalignment_policy_violation|refusal)$/,
  ],
  [
    "rate_limit",
    /^(rate_limit_exceeded|rate_limit_error|insufficient_quota|billing_error|resource_exhausted|too_many_requests)$/,
  ],
  ["overloaded", /^(overloaded_error|overloaded|engine_overloaded|service_unavailable)$/],
  ["authentication", /^(authentication_error|permission_error|invalid_api_key|permission_denied|unauthenticated)$/],
  [
    "timeout",
    /^(timeout_error|timeouterror|apiconnectiontimeouterror|etimedout|esockettimedout|und_err_(connect|headers|body)_timeout)$/,
  ],
  [
    "network",
    /^(apiconnectionerror|econnreset|econnrefused|econnaborted|enotfound|epipe|eai_again|ehostunreach|enetunreach|und_err_socket|err_stream_premature_close)$/,
  ],
  ["invalid_request", /^(invalid_request_error|not_found_error|invalid_prompt|model_not_found|unsupported_.*)$/],
];

/** Wordings where providers give no code of their own. */
const CONTEXT_TEXT =
  /context (length|window)|maximum context|prompt is too long|input is too long|too many (input )?tokens/i;
const FILTER_TEXT = /content (filter|management policy|policy)|safety system/i;
const NETWORK_TEXT =
  /^(terminated|fetch failed|failed to fetch|load failed|connection error\.?|premature close|socket hang up)|network/i;
const TIMEOUT_TEXT = /\btimed? ?out\b/i;

/** What no wait will mend, though its status is that of a rate limit. */
const QUOTA = /^(insufficient_quota|billing_error)$/;

/**
 * Says what an error of a model means: one that the `openai` or `@anthropic-ai/sdk` client threw (by its shape), one of `fetch` or
 * of a socket, an error object out of a stream, or one that was classified before. Never throws.
 *
 * @param nowMs what a date in `Retry-After` is measured against, in milliseconds since the epoch
 */
export function classifyModelError(error: unknown, nowMs: number = Date.now()): ModelError {
  if (isTailraceError(error) && isKind(error.details["kind"])) return classifiedBefore(error, error.details["kind"]);
  const facts: Facts = { status: undefined, words: [], messages: [], retryAfterMs: undefined, isTypeError: false };
  const kind = collect(error, facts, nowMs, 0) ?? kindOf(facts);
  const retryAfterMs = facts.retryAfterMs;
  return {
    kind,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    isTransient: isTransient(kind, facts),
    message: MESSAGES[kind],
  };
}

/**
 * The error to throw for what a model's client or stream gave: `upstream_slow` for a time limit, else `upstream_failed`, with a
 * message that readers may see, `details.kind`, `details.retryAfterMs`, and the original as its cause. A classified error is
 * given back as it is.
 */
export function modelError(error: unknown, nowMs?: number): TailraceError {
  if (isTailraceError(error) && isKind(error.details["kind"])) return error;
  const { kind, retryAfterMs, isTransient: transient, message } = classifyModelError(error, nowMs);
  return new TailraceError(kind === "timeout" ? "upstream_slow" : "upstream_failed", message, {
    cause: error,
    details: { kind, isTransient: transient, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

/** The error of a stream that ended before it was complete: what was cut must not look whole. */
export function cutError(missing: string): TailraceError {
  return new TailraceError("source_failed", `The model's answer was cut: it ended without ${missing}. Ask again.`, {
    details: { kind: "network", isTransient: true },
  });
}

function classifiedBefore(error: TailraceError, kind: ModelErrorKind): ModelError {
  const { retryAfterMs, isTransient } = error.details;
  return {
    kind,
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
    isTransient: isTransient === true,
    message: error.message,
  };
}

function isKind(value: unknown): value is ModelErrorKind {
  return typeof value === "string" && Object.hasOwn(MESSAGES, value);
}

/** Gathers what is known about an error; gives its kind if it was classified before. */
function collect(error: unknown, facts: Facts, nowMs: number, depth: number): ModelErrorKind | undefined {
  if (typeof error === "string") facts.messages.push(error);
  if (typeof error !== "object" || error === null || depth >= MAX_DEPTH_COUNT) return undefined;
  const fields = error as Fields;
  if (isTailraceError(error)) {
    if (error.code === "upstream_slow") return "timeout";
    if (error.code === "upstream_failed") return "network";
  }
  facts.isTypeError ||= error instanceof TypeError;
  const status = fields["status"] ?? fields["statusCode"];
  if (typeof status === "number") facts.status ??= status;
  // Some gateways put the status into `code`.
  if (typeof fields["code"] === "number") facts.status ??= fields["code"];
  const name = fields["name"] === "Error" ? error.constructor.name : fields["name"];
  for (const word of [fields["code"], fields["type"], name]) {
    if (typeof word === "string") facts.words.push(word.toLowerCase());
  }
  if (typeof fields["message"] === "string") facts.messages.push(fields["message"]);
  facts.retryAfterMs ??= retryAfterIn(fields["headers"] ?? fields["responseHeaders"], nowMs);
  for (const inner of [fields["error"], fields["cause"], fields["lastError"]]) {
    const kind = collect(inner, facts, nowMs, depth + 1);
    if (kind !== undefined) return kind;
  }
  return undefined;
}

function kindOf({ status, words, messages, isTypeError }: Facts): ModelErrorKind {
  const says = (text: RegExp): boolean => messages.some((message) => text.test(message));
  const isClient = status === undefined || (status >= 400 && status < 500);
  const byWord = WORDS.find(([, pattern]) => words.some((word) => pattern.test(word)))?.[0];
  // "Invalid request" is what providers call nearly everything: the wording may know better.
  if (byWord !== undefined && byWord !== "invalid_request") return byWord;
  if (isClient && status !== 429 && says(CONTEXT_TEXT)) return "context_length";
  if (isClient && status !== 429 && says(FILTER_TEXT)) return "content_filter";
  if (byWord !== undefined) return byWord;
  if (status !== undefined) return kindOfStatus(status);
  if (says(TIMEOUT_TEXT)) return "timeout";
  if (says(NETWORK_TEXT) && (isTypeError || messages.length > 0)) return "network";
  return "unknown";
}

function kindOfStatus(status: number): ModelErrorKind {
  switch (status) {
    case 401:
    case 403:
      return "authentication";
    case 402:
    case 429:
      return "rate_limit";
    case 408:
    case 504:
      return "timeout";
    case 413:
      return "context_length";
    case 502:
    case 503:
    case 529:
      return "overloaded";
    default:
      return status >= 400 && status < 500 ? "invalid_request" : "unknown";
  }
}

function isTransient(kind: ModelErrorKind, { status, words }: Facts): boolean {
  if (kind === "rate_limit") return status !== 402 && !words.some((word) => QUOTA.test(word));
  if (kind === "unknown") {
    return (status !== undefined && status >= 500) || words.some((word) => /^(server_error|api_error)$/.test(word));
  }
  return kind === "overloaded" || kind === "network" || kind === "timeout";
}

/** Milliseconds that `Retry-After` (RFC 9110, section 10.2.3) or OpenAI's `retry-after-ms` asks for. */
function retryAfterIn(headers: unknown, nowMs: number): number | undefined {
  const precise = headerOf(headers, "retry-after-ms")?.trim();
  if (precise !== undefined && /^\d+(\.\d+)?$/.test(precise)) return Math.min(Number(precise), MAX_RETRY_AFTER_MS);
  const value = headerOf(headers, "retry-after")?.trim();
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, MAX_RETRY_AFTER_MS);
  const dueSeconds = parseHttpDate(value, nowMs);
  if (dueSeconds === undefined) return undefined;
  return Math.min(Math.max(0, dueSeconds * 1000 - nowMs), MAX_RETRY_AFTER_MS);
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== "object" || headers === null) return undefined;
  if ("get" in headers && typeof headers.get === "function") {
    const value: unknown = (headers as Headers).get(name);
    return typeof value === "string" ? value : undefined;
  }
  const value = (headers as Fields)[name];
  return typeof value === "string" ? value : undefined;
}
