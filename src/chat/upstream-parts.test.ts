import { expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { createParts, MAX_OPEN_TOOL_CALL_COUNT, MAX_TOOL_INPUT_LENGTH } from "./upstream-parts.ts";

test("createParts() takes MAX_OPEN_TOOL_CALL_COUNT tool calls at once, and not one more", () => {
  const parts = createParts([]);
  for (let index = 0; index < MAX_OPEN_TOOL_CALL_COUNT; index++) parts.tool(String(index), { name: "f" });
  expect(() => parts.tool("more", { name: "f" })).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
  parts.endTool("0");
  expect(() => parts.tool("more", { name: "f" })).not.toThrow();
});

test("createParts() takes MAX_TOOL_INPUT_LENGTH characters of input, and not one more", () => {
  const out: UiChunk[] = [];
  const parts = createParts(out);
  parts.tool("a", { id: "a", name: "f", input: `"${"x".repeat(MAX_TOOL_INPUT_LENGTH - 2)}` });
  parts.tool("a", { input: '"' });
  expect(() => parts.tool("a", { input: "x" })).toThrow(expect.objectContaining({ code: "limit_exceeded" }));
  parts.endTool("a");
  expect(out.at(-1)).toMatchObject({ type: "tool-input-available", toolCallId: "a" });
});

test("createParts() makes up an id for a call that has none, and waits for its name", () => {
  const out: UiChunk[] = [];
  const parts = createParts(out);
  parts.tool("a", { input: "{" });
  expect(out).toEqual([]);
  parts.tool("a", { name: "f", input: "}" });
  expect(out).toEqual([
    { type: "tool-input-start", toolCallId: "call-1", toolName: "f" },
    { type: "tool-input-delta", toolCallId: "call-1", inputTextDelta: "{}" },
  ]);
});
