import { describe, expect, test } from "vitest";
import { judgeResponse, MAX_PROBLEM_BYTES } from "./response.ts";

const typed = (type: string | null): Response =>
  new Response(new Uint8Array([120]), { headers: type === null ? {} : { "content-type": type } });

/** A problem document of exactly `bytes` bytes. */
function problem(bytes: number): Response {
  const empty = JSON.stringify({ detail: "d", pad: "" });
  const body = JSON.stringify({ detail: "d", pad: "x".repeat(bytes - empty.length) });
  return new Response(body, { status: 400, headers: { "content-type": "application/problem+json; charset=utf-8" } });
}

describe("judgeResponse", () => {
  test.each([
    ["text/event-stream", "sse"],
    ["TEXT/Event-Stream ; charset=UTF-8", "sse"],
    ["application/x-ndjson", "ndjson"],
    ["application/jsonl;charset=utf-8", "ndjson"],
    ["Text/Plain", "text"],
  ])("judgeResponse() knows %s by its essence", async (type, format) => {
    expect(await judgeResponse(typed(type), 0)).toEqual({ kind: "stream", format });
  });

  test.each([["text/html"], ["application/json"], ["text/event-streams"], ["__proto__"], [null]])(
    "judgeResponse() refuses %s",
    async (type) => {
      expect(await judgeResponse(typed(type), 0)).toMatchObject({
        kind: "refused",
        error: { code: "response_refused" },
      });
    },
  );

  test("judgeResponse() reads a problem of the limit, and one byte more not", async () => {
    const at = await judgeResponse(problem(MAX_PROBLEM_BYTES), 0);
    expect(at).toMatchObject({ kind: "refused", error: { details: { detail: "d", status: 400 } } });
    const past = await judgeResponse(problem(MAX_PROBLEM_BYTES + 1), 0);
    expect(past.kind === "refused" && past.error.details).toEqual({ status: 400 });
  });

  test("judgeResponse() lets the body of a refusal go", async () => {
    let cancelled = 0;
    const body = new ReadableStream({ cancel: () => void (cancelled += 1) });
    await judgeResponse(new Response(body, { status: 404 }), 0);
    expect(cancelled).toBe(1);
  });
});
