// A tool for the model that is none: "delete my notes" shows how a tool asks whether it may run, and what comes of it.

import type { ChatMessage, UiChunk } from "tailrace/chat";

const TOOL = "delete_notes";
const INPUT = { notes: ["Groceries", "Ideas for May", "Old passwords"] };

/** Whether the conversation is about the notes: the reader asks for their deletion, or has said whether it may be done. */
export function isAboutNotes(messages: readonly ChatMessage[]): boolean {
  const last = messages.at(-1);
  if (last?.role === "assistant") return approvalIn(last) !== undefined;
  return last?.parts.some((part) => part.type === "text" && /\bdelete (?:all )?my notes\b/i.test(part.text)) ?? false;
}

/** Asks for approval; once it is given or refused, does or leaves what was asked. */
export async function* answerAboutNotes(messages: readonly ChatMessage[]): AsyncGenerator<UiChunk, void, undefined> {
  const last = messages.at(-1);
  const approval = last?.role === "assistant" ? approvalIn(last) : undefined;
  if (approval === undefined) {
    const toolCallId = `call-${crypto.randomUUID()}`;
    yield* text("I can do that with a tool, once you allow it.");
    yield { type: "tool-input-start", toolCallId, toolName: TOOL, title: "Delete notes" };
    yield { type: "tool-input-available", toolCallId, toolName: TOOL, title: "Delete notes", input: INPUT };
    yield { type: "tool-approval-request", approvalId: `approval-${toolCallId}`, toolCallId };
    yield { type: "finish", finishReason: "tool-calls" };
    return;
  }
  if (!approval.approved) {
    yield* text("Nothing was deleted.");
    return;
  }
  const toolCallId = `call-${crypto.randomUUID()}`;
  yield { type: "tool-input-available", toolCallId, toolName: TOOL, title: "Delete notes", input: INPUT };
  yield { type: "tool-output-available", toolCallId, output: { deleted: INPUT.notes.length } };
  yield* text(
    `Done: **${INPUT.notes.length} notes** are gone. They were made up, as this server has no model: this shows how a tool asks first.`,
  );
}

function approvalIn({ parts }: ChatMessage): { readonly approved: boolean } | undefined {
  const part = parts.findLast((each) => each.type === `tool-${TOOL}`);
  if (part === undefined || !("approval" in part) || part.approval?.approved === undefined) return undefined;
  return { approved: part.approval.approved };
}

function* text(words: string): Generator<UiChunk, void, undefined> {
  const id = crypto.randomUUID();
  yield { type: "text-start", id };
  yield { type: "text-delta", id, delta: words };
  yield { type: "text-end", id };
}
