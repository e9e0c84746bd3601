import { describe, expect, test } from "vitest";
import {
  type Answer,
  emptyAnswer,
  foldChunk,
  hasContent,
  messageText,
  parseChunk,
  readTerminal,
} from "./ui-message.ts";

const fold = (...chunks: Record<string, unknown>[]): Answer => chunks.reduce(foldChunk, emptyAnswer("local"));

describe("foldChunk", () => {
  test("foldChunk() folds a whole answer", () => {
    const { message } = fold(
      { type: "start", messageId: "m1", messageMetadata: { model: "x" } },
      { type: "start-step" },
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "hm" },
      { type: "reasoning-end", id: "0" },
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", delta: "Hel" },
      { type: "text-delta", id: "0", delta: "lo" },
      { type: "text-end", id: "0" },
      { type: "source-url", sourceId: "s", url: "/docs/a", title: "A" },
      { type: "source-document", sourceId: "d", mediaType: "text/plain", title: "D", filename: "d.txt" },
      { type: "file", url: "/f.png", mediaType: "image/png" },
      { type: "finish-step" },
      { type: "finish", finishReason: "stop", messageMetadata: { tokens: 3 } },
    );
    expect(message).toEqual({
      id: "m1",
      role: "assistant",
      metadata: { model: "x", tokens: 3 },
      end: { reason: "completed" },
      parts: [
        { type: "step-start" },
        { type: "reasoning", text: "hm", state: "done" },
        { type: "text", text: "Hello", state: "done" },
        { type: "source-url", sourceId: "s", url: "/docs/a", title: "A" },
        { type: "source-document", sourceId: "d", mediaType: "text/plain", title: "D", filename: "d.txt" },
        { type: "file", url: "/f.png", mediaType: "image/png" },
      ],
    });
  });

  test("foldChunk() keeps two open parts apart, and the same id in a second step", () => {
    const { message } = fold(
      { type: "text-start", id: "a" },
      { type: "text-start", id: "b" },
      { type: "text-delta", id: "b", delta: "2" },
      { type: "text-delta", id: "a", delta: "1" },
      { type: "finish-step" },
      { type: "start-step" },
      { type: "text-start", id: "a" },
      { type: "text-delta", id: "a", delta: "3" },
    );
    expect(message.parts.map((part) => ("text" in part ? part.text : part.type))).toEqual([
      "1",
      "2",
      "step-start",
      "3",
    ]);
  });

  test("foldChunk() opens a part for a delta without its start", () => {
    const { message } = fold(
      { type: "text-delta", id: "x", delta: "late" },
      { type: "text-delta", id: "x", delta: "r" },
    );
    expect(message.parts).toEqual([{ type: "text", text: "later", state: "streaming" }]);
  });

  test("foldChunk() begins anew at a start, also after a terminal", () => {
    const { message } = fold(
      { type: "start", messageId: "m" },
      { type: "text-delta", id: "0", delta: "half" },
      { type: "abort" },
      { type: "start", messageId: "m" },
      { type: "text-delta", id: "0", delta: "whole" },
    );
    expect(message).toMatchObject({ id: "m", parts: [{ text: "whole" }] });
    expect(message.end).toBeUndefined();
    expect(fold({ type: "start" }).message.id).toBe("local");
  });

  test("foldChunk() replaces data parts of the same name and id, and leaves transient ones out", () => {
    const { message } = fold(
      { type: "data-step", id: "1", data: { n: 1 } },
      { type: "data-step", data: "other" },
      { type: "data-step", id: "1", data: { n: 2 } },
      { type: "data-toast", data: "now", transient: true },
    );
    expect(message.parts).toEqual([
      { type: "data-step", id: "1", data: { n: 2 } },
      { type: "data-step", data: "other" },
    ]);
  });

  test("foldChunk() shows a tool's input as it grows, and leaves the answers before as they were", () => {
    const start = fold({ type: "tool-input-start", toolCallId: "c", toolName: "f" });
    const one = foldChunk(start, { type: "tool-input-delta", toolCallId: "c", inputTextDelta: '{"a":"x' });
    const two = foldChunk(one, { type: "tool-input-delta", toolCallId: "c", inputTextDelta: 'y","b":[1,' });
    const other = foldChunk(one, { type: "tool-input-delta", toolCallId: "c", inputTextDelta: 'z"}' });
    const shown = [start, one, two, other].map(({ message }) => message.parts[0]);
    expect(shown).toEqual([
      { type: "tool-f", toolCallId: "c", state: "input-streaming" },
      { type: "tool-f", toolCallId: "c", state: "input-streaming", input: { a: "x" }, rawInput: '{"a":"x' },
      {
        type: "tool-f",
        toolCallId: "c",
        state: "input-streaming",
        input: { a: "xy", b: [1] },
        rawInput: '{"a":"xy","b":[1,',
      },
      { type: "tool-f", toolCallId: "c", state: "input-streaming", input: { a: "xz" }, rawInput: '{"a":"xz"}' },
    ]);
    const broken = foldChunk(two, { type: "tool-input-delta", toolCallId: "c", inputTextDelta: "}" });
    expect(broken.message.parts[0]).toMatchObject({ state: "input-streaming", rawInput: '{"a":"xy","b":[1,}' });
  });

  test("foldChunk() drops a step that is done again", () => {
    const { message } = fold(
      { type: "start-step" },
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", delta: "kept" },
      { type: "finish-step" },
      { type: "start-step" },
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", delta: "dropped" },
      { type: "reset-step" },
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", delta: "again" },
    );
    expect(messageText(message)).toBe("keptagain");
  });

  test("foldChunk() ignores unknown types, missing fields and whatever follows a terminal", () => {
    const before = fold({ type: "text-delta", id: "0", delta: "a" });
    expect(foldChunk(before, { type: "tool-input-start", toolCallId: "t" })).toBe(before);
    expect(foldChunk(before, {})).toBe(before);
    const ended = foldChunk(before, { type: "finish" });
    expect(foldChunk(ended, { type: "text-delta", id: "0", delta: "b" })).toBe(ended);
    expect(foldChunk(ended, { type: "error", errorText: "late" })).toBe(ended);
    expect(ended.message.parts).toEqual([{ type: "text", text: "a", state: "done" }]);
  });

  test.each([
    [{ type: "finish" }, { reason: "completed" }],
    [{ type: "abort", reason: "user" }, { reason: "stopped" }],
    [
      { type: "error", errorText: "Bad." },
      { reason: "failed", message: "Bad." },
    ],
    [
      { type: "error", errorText: "Died.", reason: "interrupted" },
      { reason: "interrupted", message: "Died." },
    ],
    [{ type: "text-end" }, undefined],
  ])("readTerminal() reads %j", (chunk, end) => {
    expect(readTerminal(chunk)).toEqual(end);
  });

  test("parseChunk() compares the whole field, so an answer may speak of [DONE]", () => {
    expect(parseChunk("[DONE]")).toBeUndefined();
    expect(parseChunk('{"type":"text-delta","id":"0","delta":"[DONE]"}')).toMatchObject({ delta: "[DONE]" });
    expect(parseChunk('"text"')).toBeUndefined();
  });

  test("hasContent() does not count a step", () => {
    expect(hasContent(fold({ type: "start" }, { type: "start-step" }).message)).toBe(false);
    expect(hasContent(fold({ type: "text-start", id: "0" }).message)).toBe(true);
  });
});
