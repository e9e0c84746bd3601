import { EventSchemas } from "@ag-ui/core/schemas";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import type { MessageChunk } from "../wire/ui-message.ts";
import { MOVES, validChunks } from "./prelude.test-support.ts";
import { toAgUi } from "./to-ag-ui-reply.ts";
import type { AgUiEvent } from "./to-ag-ui.ts";

async function* source(chunks: readonly MessageChunk[], error?: unknown): AsyncGenerator<UiChunk> {
  yield* chunks as unknown as readonly UiChunk[];
  if (error !== undefined) throw error;
}

async function read(chunks: readonly MessageChunk[], error?: unknown): Promise<AgUiEvent[]> {
  const request = new Request("http://test/");
  const options = { threadId: "thread", runId: "run", onError: () => undefined };
  const body = await toAgUi(request, source(chunks, error), options).text();
  return [...body.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]!) as AgUiEvent);
}

const types = (events: readonly AgUiEvent[]): string[] => events.map(({ type }) => type);

/** The rules of order that AG-UI's own client holds a run to. */
function checkOrder(events: readonly AgUiEvent[]): void {
  const open = new Set<string>();
  for (const event of events) {
    const key = String(event["messageId"] ?? event["toolCallId"] ?? event["stepName"]);
    if (/^(TEXT_MESSAGE|REASONING|TOOL_CALL|STEP)_(START|STARTED)$/.test(event.type)) {
      expect(open.has(key), `${event.type} ${key} twice`).toBe(false);
      open.add(key);
    }
    if (/_(CONTENT|ARGS)$/.test(event.type)) expect(open.has(key), `${event.type} ${key} not open`).toBe(true);
    if (/^(TEXT_MESSAGE_END|REASONING_END|TOOL_CALL_END|STEP_FINISHED)$/.test(event.type)) {
      expect(open.delete(key), `${event.type} ${key} not open`).toBe(true);
    }
    if (event.type === "RUN_FINISHED") expect([...open]).toEqual([]);
  }
}

describe("toAgUi()", () => {
  test("tells text, reasoning, tools, steps, data and the end", async () => {
    const events = await read([
      { type: "start", messageId: "m" },
      { type: "start-step" },
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-delta", id: "r", delta: "hm" },
      { type: "reasoning-end", id: "r" },
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", delta: "" },
      { type: "text-delta", id: "t", delta: "Hi" },
      { type: "text-end", id: "t" },
      { type: "tool-input-start", toolCallId: "c", toolName: "f" },
      { type: "tool-input-delta", toolCallId: "c", inputTextDelta: "{}" },
      { type: "tool-input-available", toolCallId: "c", toolName: "f", input: {} },
      { type: "tool-output-available", toolCallId: "c", output: { n: 0 }, preliminary: true },
      { type: "tool-output-available", toolCallId: "c", output: { n: 1 } },
      { type: "data-weather", id: "w", data: { sun: true } },
      { type: "finish-step" },
      { type: "message-metadata", messageMetadata: { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } } },
      { type: "finish", finishReason: "stop" },
    ]);
    expect(types(events)).toEqual([
      "RUN_STARTED",
      "STEP_STARTED",
      "REASONING_START",
      "REASONING_MESSAGE_START",
      "REASONING_MESSAGE_CONTENT",
      "REASONING_MESSAGE_END",
      "REASONING_END",
      "TEXT_MESSAGE_START",
      "TEXT_MESSAGE_CONTENT",
      "TEXT_MESSAGE_END",
      "TOOL_CALL_START",
      "TOOL_CALL_ARGS",
      "TOOL_CALL_END",
      "TOOL_CALL_RESULT",
      "CUSTOM",
      "STEP_FINISHED",
      "RUN_FINISHED",
    ]);
    expect(events.find(({ type }) => type === "TOOL_CALL_RESULT")).toMatchObject({
      toolCallId: "c",
      content: '{"n":1}',
    });
    expect(events.find(({ type }) => type === "CUSTOM")).toMatchObject({ name: "weather", value: { sun: true } });
    expect(events.at(-1)).toMatchObject({
      threadId: "thread",
      runId: "run",
      outcome: { type: "success" },
      usage: [{ inputTokens: 1, outputTokens: 2, totalTokens: 3 }],
    });
  });

  test("gives events that AG-UI's schema takes, in its order, for any answer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), MOVES), async (moves) => {
        const events = await read([...validChunks(moves), { type: "finish" }]);
        for (const event of events) expect(EventSchemas.parse(event)).toMatchObject({ type: event.type });
        checkOrder(events);
        expect(events.at(-1)!.type).toBe("RUN_FINISHED");
      }),
      { numRuns: 200 },
    );
  });

  test("gives the arguments of a call that came in one piece, and names the calls that wait for their result", async () => {
    const events = await read([
      { type: "tool-input-available", toolCallId: "c", toolName: "f", input: { a: 1 } },
      { type: "finish", finishReason: "tool-calls" },
    ]);
    expect(events[2]).toEqual({ type: "TOOL_CALL_ARGS", toolCallId: "c", delta: '{"a":1}' });
    expect(events.at(-1)).toMatchObject({ outcome: { type: "success", pendingToolCallIds: ["c"] } });
  });

  test.each([
    ["stopped", [{ type: "abort" }], undefined, { type: "RUN_FINISHED", outcome: { type: "cancelled" } }],
    ["left without a finish", [], undefined, { type: "RUN_ERROR", code: "failed" }],
    ["failed by a chunk", [{ type: "error", errorText: "No." }], undefined, { type: "RUN_ERROR", message: "No." }],
    ["failed by a throw", [], new Error("secret"), { type: "RUN_ERROR", code: "failed" }],
    ["finished with an error", [{ type: "finish", finishReason: "error" }], undefined, { type: "RUN_ERROR" }],
  ])("an answer that was %s ends so", async (_, last, error, ended) => {
    const events = await read(
      [{ type: "text-start", id: "t" }, { type: "text-delta", id: "t", delta: "a" }, ...last],
      error,
    );
    expect(events.at(-1)).toMatchObject(ended);
    expect(JSON.stringify(events)).not.toContain("secret");
    for (const event of events) expect(EventSchemas.safeParse(event).success).toBe(true);
    checkOrder(events);
  });
});
