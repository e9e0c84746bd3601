import { EventType } from "@ag-ui/core";
import { describe, expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { fromAgUi } from "./ag-ui-in.ts";
import { decodeEveryWay, type Codec, type Outcome } from "../../test/upstream-codecs.ts";

const codec: Codec = (source) => fromAgUi(source);
const run = { threadId: "t", runId: "r" };
const finished = { type: "RUN_FINISHED", ...run };
const read = (...events: readonly object[]): Promise<Outcome> => decodeEveryWay(codec, events);
const END: UiChunk = { type: "finish", finishReason: "stop" };
const text = (id: string, delta: string): readonly UiChunk[] => [
  { type: "text-start", id },
  { type: "text-delta", id, delta },
  { type: "text-end", id },
];
const reasoning = (id: string, delta: string): readonly UiChunk[] => [
  { type: "reasoning-start", id },
  { type: "reasoning-delta", id, delta },
  { type: "reasoning-end", id },
];

/** Each group of events, and the chunks that it becomes. */
const CASES: readonly (readonly [string, readonly object[], readonly UiChunk[]])[] = [
  ["a run that starts", [{ type: "RUN_STARTED", ...run }], []],
  [
    "a message",
    [
      { type: "TEXT_MESSAGE_START", messageId: "m", role: "assistant" },
      { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: "ü" },
      { type: "TEXT_MESSAGE_END", messageId: "m" },
    ],
    text("text-1", "ü"),
  ],
  [
    "messages in chunks",
    [
      { type: "TEXT_MESSAGE_CHUNK", messageId: "m", delta: "a" },
      { type: "TEXT_MESSAGE_CHUNK", messageId: "n", delta: "b" },
    ],
    [...text("text-1", "a"), ...text("text-2", "b")],
  ],
  [
    "reasoning",
    [
      { type: "REASONING_START", messageId: "m" },
      { type: "REASONING_MESSAGE_START", messageId: "m", role: "reasoning" },
      { type: "REASONING_MESSAGE_CONTENT", messageId: "m", delta: "hm" },
      { type: "REASONING_MESSAGE_END", messageId: "m" },
      { type: "REASONING_END", messageId: "m" },
      { type: "REASONING_MESSAGE_CHUNK", messageId: "n", delta: "so" },
      { type: "REASONING_MESSAGE_END", messageId: "n" },
      { type: "REASONING_ENCRYPTED_VALUE", subtype: "message", entityId: "m", encryptedValue: "x" },
    ],
    [
      ...reasoning("reasoning-1", "hm"),
      ...reasoning("reasoning-2", "so"),
      {
        type: "custom",
        kind: "ag-ui.reasoning-encrypted-value",
        providerMetadata: { "ag-ui": { subtype: "message", entityId: "m", encryptedValue: "x" } },
      },
    ],
  ],
  [
    "tool calls and their results",
    [
      { type: "TOOL_CALL_START", toolCallId: "c", toolCallName: "f" },
      { type: "TOOL_CALL_ARGS", toolCallId: "c", delta: '{"n":1}' },
      { type: "TOOL_CALL_END", toolCallId: "c" },
      { type: "TOOL_CALL_RESULT", messageId: "m", toolCallId: "c", content: "ok" },
      { type: "TOOL_CALL_CHUNK", toolCallId: "d", toolCallName: "g", delta: "{" },
      { type: "TOOL_CALL_RESULT", messageId: "n", toolCallId: "d", content: "no" },
      { type: "TEXT_MESSAGE_CHUNK", messageId: "m", delta: "a" },
    ],
    [
      { type: "tool-input-start", toolCallId: "c", toolName: "f" },
      { type: "tool-input-delta", toolCallId: "c", inputTextDelta: '{"n":1}' },
      { type: "tool-input-available", toolCallId: "c", toolName: "f", input: { n: 1 } },
      { type: "tool-output-available", toolCallId: "c", output: "ok" },
      { type: "tool-input-start", toolCallId: "d", toolName: "g" },
      { type: "tool-input-delta", toolCallId: "d", inputTextDelta: "{" },
      {
        type: "tool-input-error",
        toolCallId: "d",
        toolName: "g",
        input: "{",
        errorText: "The model's input for the tool is no valid JSON.",
      },
      { type: "tool-output-available", toolCallId: "d", output: "no" },
      ...text("text-1", "a"),
    ],
  ],
  [
    "steps",
    [
      { type: "STEP_STARTED", stepName: "s" },
      { type: "TEXT_MESSAGE_CHUNK", messageId: "m", delta: "a" },
      { type: "STEP_FINISHED", stepName: "s" },
      { type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta: "b" },
    ],
    [{ type: "start-step" }, ...text("text-1", "a"), { type: "finish-step" }, ...text("text-2", "b")],
  ],
  [
    "state, messages and activities",
    [
      { type: "STATE_SNAPSHOT", snapshot: { a: 1 } },
      { type: "STATE_DELTA", delta: [{ op: "replace", path: "/a", value: 2 }] },
      { type: "MESSAGES_SNAPSHOT", messages: [] },
      { type: "ACTIVITY_SNAPSHOT", messageId: "m", activityType: "PLAN", content: { a: 1 } },
      { type: "ACTIVITY_DELTA", messageId: "m", activityType: "PLAN", patch: [] },
    ],
    [
      { type: "data-state", id: "state", data: { a: 1 } },
      { type: "data-state-delta", data: [{ op: "replace", path: "/a", value: 2 }] },
      { type: "data-messages", id: "messages", data: [] },
      { type: "data-activity", id: "m", data: { activityType: "PLAN", content: { a: 1 } } },
      { type: "data-activity-delta", data: { messageId: "m", activityType: "PLAN", patch: [] } },
    ],
  ],
  [
    "raw and custom events",
    [
      { type: "RAW", event: { x: 1 }, source: "s" },
      { type: "CUSTOM", name: "progress", value: 0.5 },
      { type: "CUSTOM", name: "two words", value: null },
      { type: "SOMETHING_NEW" },
    ],
    [
      { type: "data-raw", data: { event: { x: 1 }, source: "s" } },
      { type: "data-progress", data: 0.5 },
      { type: "data-custom", data: { name: "two words", value: null } },
    ],
  ],
  [
    "sub-agents",
    [
      { type: "SUBAGENT_STARTED", subagentRunId: "s", name: "n" },
      { type: "SUBAGENT_FINISHED", subagentRunId: "s", result: 1 },
      { type: "SUBAGENT_ERROR", subagentRunId: "u", message: "x" },
    ],
    [
      { type: "data-subagent", id: "s", data: { name: "n", status: "running" } },
      { type: "data-subagent", id: "s", data: { result: 1, status: "finished" } },
      { type: "data-subagent", id: "u", data: { message: "x", status: "failed" } },
    ],
  ],
];

describe("fromAgUi()", () => {
  test.each(CASES)("gives %s", async (_name, events, chunks) => {
    expect(await read(...events, finished)).toEqual({ chunks: [...chunks, END] });
  });

  test("has met each of the events of AG-UI 1.0", () => {
    const met = new Set(CASES.flatMap(([, events]) => events.map((event) => ("type" in event ? event.type : ""))));
    expect(Object.values(EventType).filter((type) => !met.has(type))).toEqual(["RUN_FINISHED", "RUN_ERROR"]);
  });

  test.each([
    [{ outcome: { type: "success" } }, END],
    [{ outcome: { type: "interrupt", interrupts: [] } }, { type: "finish", finishReason: "interrupted" }],
    [{ outcome: { type: "cancelled" } }, { type: "abort", reason: "cancelled" }],
  ])("tells the outcome %o", async (fields, chunk) => {
    expect((await read({ ...finished, ...fields })).chunks).toEqual([chunk]);
  });

  test("adds up what several models have used", async () => {
    const usage = [
      { inputTokens: 1, outputTokens: 2 },
      { inputTokens: 3, outputTokens: 4, reasoningTokens: 1 },
    ];
    expect((await read({ ...finished, usage })).chunks).toEqual([
      {
        type: "message-metadata",
        messageMetadata: { usage: { inputTokens: 4, outputTokens: 6, totalTokens: 10, reasoningTokens: 1 } },
      },
      END,
    ]);
  });

  test("throws for RUN_ERROR, and when RUN_FINISHED is missing", async () => {
    const content = { type: "TEXT_MESSAGE_CHUNK", messageId: "m", delta: "a" };
    const failed = await read(content, { type: "RUN_ERROR", message: "secret", code: "rate_limit_exceeded" });
    expect(failed.error).toMatchObject({ code: "upstream_failed", details: { kind: "rate_limit" } });
    expect(String(failed.error)).not.toContain("secret");
    const cut = await read(content);
    expect(cut.error).toMatchObject({ code: "source_failed" });
    expect(cut.chunks).toHaveLength(2);
  });
});
