import { describe, expect, test } from "vitest";
import type { ChatMessage } from "tailrace/react";
import { announcementWords, canRetry, connectionWords, statusWords, toolName, toolWords } from "./chat-words.ts";

type Shown = Parameters<typeof statusWords>[0];

function chat(changes: Partial<Shown>): Shown {
  return { messages: [], status: "ready", connection: "idle", stopping: false, ...changes };
}

function ended(reason: "completed" | "stopped" | "failed" | "interrupted"): readonly ChatMessage[] {
  return [{ id: "a", role: "assistant", parts: [], end: { reason } }];
}

describe("statusWords", () => {
  test.each([
    ["Loading…", { status: "loading" }],
    ["Waiting for the answer…", { status: "submitted", connection: "connecting" }],
    ["Answering…", { status: "streaming", connection: "open" }],
    ["Stopping…", { status: "streaming", connection: "open", stopping: true }],
    ["Waiting for the server…", { status: "streaming", connection: "waiting" }],
    ["Waiting for the server…", { status: "streaming", connection: "connecting" }],
    ["Ready", {}],
    ["Ready", { messages: ended("completed") }],
    ["Stopped", { messages: ended("stopped") }],
    ["Interrupted", { status: "error", messages: ended("interrupted") }],
    ["Failed", { status: "error", messages: ended("failed") }],
    ["Failed", { status: "error" }],
    ["Not sent", { status: "error", messages: [{ id: "u", role: "user", parts: [], delivery: "failed" }] }],
  ] as const)("says %j", (words, changes) => {
    expect(statusWords(chat(changes))).toBe(words);
  });
});

describe("connectionWords", () => {
  test("says nothing of a connection that is open, idle, done or tried for the first time", () => {
    for (const connection of ["open", "idle", "done"] as const) expect(connectionWords(chat({ connection }))).toBe("");
    expect(connectionWords(chat({ status: "submitted", connection: "connecting" }))).toBe("");
  });

  test("tells of one that was cut or lost", () => {
    expect(connectionWords(chat({ status: "streaming", connection: "waiting" }))).toBe("Reconnecting…");
    expect(connectionWords(chat({ status: "streaming", connection: "connecting" }))).toBe("Reconnecting…");
    expect(connectionWords(chat({ connection: "failed" }))).toBe("Disconnected");
  });
});

describe("canRetry", () => {
  test("is true after an end that was no completion, and after an error", () => {
    for (const reason of ["stopped", "failed", "interrupted"] as const) {
      expect(canRetry(chat({ messages: ended(reason) }))).toBe(true);
    }
    expect(canRetry(chat({ status: "error" }))).toBe(true);
  });

  test("is false while an answer is under way, after a completed one, and without a message", () => {
    expect(canRetry(chat({ status: "streaming", messages: ended("stopped") }))).toBe(false);
    expect(canRetry(chat({ messages: ended("completed") }))).toBe(false);
    expect(canRetry(chat({}))).toBe(false);
  });
});

describe("toolWords", () => {
  test("says of a call what it is doing, and once its answer has ended what it did not do", () => {
    expect(toolWords({ state: "input-available" }, false)).toBe("running");
    expect(toolWords({ state: "input-available" }, true)).toBe("not run");
    expect(toolWords({ state: "input-streaming" }, true)).toBe("not called");
    expect(toolWords({ state: "approval-responded", approval: { id: "a", approved: true } }, true)).toBe("allowed");
    expect(toolWords({ state: "approval-responded", approval: { id: "a", approved: false } }, true)).toBe(
      "not allowed",
    );
  });

  test("toolName takes the title before the name", () => {
    expect(toolName({ type: "tool-pay", title: "Pay" })).toBe("Pay");
    expect(toolName({ type: "dynamic-tool", toolName: "pay" })).toBe("pay");
    expect(toolName({ type: "tool-pay" })).toBe("pay");
  });
});

describe("announcementWords", () => {
  const asking: ChatMessage = {
    id: "a",
    role: "assistant",
    parts: [{ type: "tool-pay", toolCallId: "1", state: "approval-requested", approval: { id: "p" } }],
    end: { reason: "completed" },
  };

  test("adds that a tool asks once its answer has ended, and is silent where there is nothing to say", () => {
    const announcement = "Answer finished";
    expect(announcementWords({ ...chat({ messages: [asking] }), announcement })).toBe(
      "Answer finished. A tool asks whether it may run",
    );
    expect(announcementWords({ ...chat({ messages: [asking] }), announcement: "" })).toBe("");
    expect(announcementWords({ ...chat({ messages: ended("completed") }), announcement })).toBe(announcement);
    expect(announcementWords({ ...chat({ connection: "waiting" }), announcement })).toBe("Reconnecting");
  });
});
