import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { TailraceError } from "../errors.ts";
import { classifyModelError, cutError, modelError, type ModelErrorKind } from "./model-errors.ts";

const openai = (status: number, error: object, headers: HeadersInit = {}): unknown =>
  OpenAI.APIError.generate(status, { error }, undefined, new Headers(headers));
const anthropic = (status: number, type: string, message = "secret"): unknown =>
  Anthropic.APIError.generate(status, { type: "error", error: { type, message } }, undefined, new Headers());
const socket = (code: string): unknown =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("connect"), { code }) });

const CASES: readonly (readonly [string, unknown, ModelErrorKind, boolean])[] = [
  ["a rate limit of OpenAI", openai(429, { code: "rate_limit_exceeded", message: "secret" }), "rate_limit", true],
  [
    "a quota that is used up",
    openai(429, { code: "insufficient_quota", type: "insufficient_quota" }),
    "rate_limit",
    false,
  ],
  [
    "a prompt that is too long",
    openai(400, { code: "context_length_exceeded", type: "invalid_request_error" }),
    "context_length",
    false,
  ],
  ["a content filter", openai(400, { code: "content_filter" }), "content_filter", false],
  ["a wrong key", openai(401, { code: "invalid_api_key" }), "authentication", false],
  ["a wrong model", openai(404, { code: "model_not_found" }), "invalid_request", false],
  ["a fault of OpenAI", openai(500, { type: "server_error" }), "unknown", true],
  ["a server that is away", openai(503, {}), "overloaded", true],
  [
    "OpenAI's client without a connection",
    new OpenAI.APIConnectionError({ message: "Connection error." }),
    "network",
    true,
  ],
  ["OpenAI's client out of time", new OpenAI.APIConnectionTimeoutError(), "timeout", true],
  ["a rate limit of Anthropic", anthropic(429, "rate_limit_error"), "rate_limit", true],
  ["an overload of Anthropic", anthropic(529, "overloaded_error"), "overloaded", true],
  [
    "a long prompt at Anthropic",
    anthropic(400, "invalid_request_error", "prompt is too long: 9 tokens"),
    "context_length",
    false,
  ],
  ["a bad request at Anthropic", anthropic(400, "invalid_request_error"), "invalid_request", false],
  ["no permission at Anthropic", anthropic(403, "permission_error"), "authentication", false],
  ["an error object of a stream", { type: "error", error: { type: "overloaded_error" } }, "overloaded", true],
  ["a reset", socket("ECONNRESET"), "network", true],
  ["a name that is not found", socket("ENOTFOUND"), "network", true],
  ["no connection in time", socket("UND_ERR_CONNECT_TIMEOUT"), "timeout", true],
  ["a body that broke off", new TypeError("terminated"), "network", true],
  [
    "a time limit of a signal",
    AbortSignal.timeout(0).reason ?? new DOMException("late", "TimeoutError"),
    "timeout",
    true,
  ],
  ["a status in code", { error: { code: 429, message: "x" } }, "rate_limit", true],
  ["an answer that was cut", cutError("a finish reason"), "network", true],
  ["another time limit of ours", new TailraceError("upstream_slow", "x"), "timeout", true],
  ["a mistake", new RangeError("x"), "unknown", false],
  ["nothing", undefined, "unknown", false],
  ["a word", "boom", "unknown", false],
];

describe("classifyModelError()", () => {
  test.each(CASES)("knows %s", (_name, error, kind, isTransient) => {
    const found = classifyModelError(error);
    expect(found).toMatchObject({ kind, isTransient });
    expect(found.message).not.toContain("secret");
  });

  test.each([
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after-ms": "1500", "retry-after": "7" }, 1500],
    [{ "retry-after": "Thu, 01 Jan 1970 00:01:10 GMT" }, 60_000],
    [{ "retry-after": "600" }, 600_000],
    [{ "retry-after": "601" }, 600_000],
    [{ "retry-after": "soon" }, undefined],
    [{}, undefined],
  ])("reads how long to wait from %o", (headers, retryAfterMs) => {
    expect(classifyModelError(openai(429, {}, headers), 10_000).retryAfterMs).toBe(retryAfterMs);
    expect(classifyModelError({ statusCode: 429, responseHeaders: headers }, 10_000).retryAfterMs).toBe(retryAfterMs);
  });

  test("does not follow causes for ever", () => {
    const loop: { cause?: unknown } = {};
    loop.cause = loop;
    expect(classifyModelError(loop).kind).toBe("unknown");
  });
});

test("modelError() keeps the cause and what was classified, and gives a classified error back", () => {
  const cause = openai(429, { message: "secret" }, { "retry-after": "2" });
  const error = modelError(cause);
  expect(error).toMatchObject({ code: "upstream_failed", details: { kind: "rate_limit", retryAfterMs: 2000 }, cause });
  expect(error.message).not.toContain("secret");
  expect(modelError(error)).toBe(error);
  expect(classifyModelError(error)).toMatchObject({ kind: "rate_limit", retryAfterMs: 2000, isTransient: true });
  expect(modelError(new OpenAI.APIConnectionTimeoutError()).code).toBe("upstream_slow");
});
