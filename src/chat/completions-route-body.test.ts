import { describe, expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { completionsRoute } from "./completions-route.ts";
import { MAX_MESSAGES_COUNT } from "./completions-route-body.ts";

const ask = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };

async function* words(): AsyncGenerator<UiChunk> {
  yield { type: "text-delta", id: "t", delta: "Hello" };
}

describe("completionsRoute() with requests that cannot be answered", () => {
  test.each([
    ["messages", { model: "m" }],
    ["messages", { model: "m", messages: [] }],
    ["messages", { model: "m", messages: Array.from({ length: MAX_MESSAGES_COUNT + 1 }, () => ask.messages[0]) }],
    ["messages[0]", { model: "m", messages: ["hi"] }],
    ["messages[0].role", { model: "m", messages: [{ role: "robot", content: "hi" }] }],
    ["messages[0].content", { model: "m", messages: [{ role: "user" }] }],
    ["messages[0].content[0]", { model: "m", messages: [{ role: "user", content: [{ type: "noise" }] }] }],
    ["messages[0].tool_call_id", { model: "m", messages: [{ role: "tool", tool_call_id: "x", content: "" }] }],
    ["messages[0].tool_calls", { model: "m", messages: [{ role: "assistant", tool_calls: [{}] }] }],
    ["model", { messages: ask.messages }],
    ["stream", { ...ask, stream: "yes" }],
    ["stream_options", { ...ask, stream_options: 1 }],
    ["n", { ...ask, n: 2 }],
  ])("refuses a bad %s with 400 in OpenAI's shape", async (param, body) => {
    const handle = completionsRoute({ answer: words, models: ["m"] });
    const init = { method: "POST", body: JSON.stringify(body) };
    const response = await handle(new Request("http://test/v1/chat/completions", init));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param, type: "invalid_request_error" } });
  });

  test("refuses what is no JSON, another method and another path in OpenAI's shape", async () => {
    const handle = completionsRoute({ answer: words, models: ["m"] });
    const post = (path: string, init: RequestInit): Promise<Response> =>
      handle(new Request(`http://test${path}`, init));
    for (const [response, status] of [
      [await post("/v1/chat/completions", { method: "POST", body: "{" }), 400],
      [await post("/v1/chat/completions", { method: "GET" }), 405],
      [await post("/v1/models", { method: "DELETE" }), 405],
      [await post("/v1/else", { method: "GET" }), 404],
    ] as const) {
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({
        error: { type: "invalid_request_error", message: expect.any(String) },
      });
    }
  });
});
