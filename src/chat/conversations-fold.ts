// Messages out of the log: an answer is folded from its run, and what came of its tools is put into it.

import { isTailraceError } from "../errors.ts";
import type { Streams } from "../log/streams.ts";
import type { ThreadMessage } from "../wire/chat-thread.ts";
import { isToolPart, type Part } from "../wire/ui-message-parts.ts";
import { foldTool } from "../wire/ui-message-tools.ts";
import { emptyAnswer, foldChunk, type ChatMessage, type MessageChunk } from "../wire/ui-message.ts";
import type { ConversationTree, ToolResult, TreeNode } from "./conversations-tree.ts";
import { endChunk } from "./ui-message-stream.ts";

/** The most chunks of an answer that are folded into its message. */
const MAX_ANSWER_CHUNKS = 100_000;
/** How many answers are read at the same time. */
const MAX_READS = 16;

/** The messages of these nodes. An answer whose run never began, or is no longer kept, is left out. */
export async function foldNodes(
  streams: Streams,
  tree: ConversationTree,
  nodes: readonly TreeNode[],
): Promise<readonly ThreadMessage[]> {
  const messages: ThreadMessage[] = [];
  for (let from = 0; from < nodes.length; from += MAX_READS) {
    const some = nodes.slice(from, from + MAX_READS);
    const folded = await Promise.all(some.map((node) => foldNode(streams, node)));
    for (const [index, message] of folded.entries()) {
      if (message === undefined) continue;
      const branch = tree.branchOf(some[index]!);
      messages.push(branch === undefined ? message : { ...message, branch });
    }
  }
  return messages;
}

/** The message of one node. */
export async function foldNode(streams: Streams, node: TreeNode): Promise<ChatMessage | undefined> {
  const message = node.message ?? (await foldAnswer(streams, node.id));
  if (message === undefined || node.results === undefined) return message;
  return { ...message, parts: node.results.reduce(applyResult, message.parts) };
}

/** The answer as far as it is written; undefined if there is no run of that name. */
async function foldAnswer(streams: Streams, name: string): Promise<ChatMessage | undefined> {
  try {
    const { entries, end } = await streams.read<MessageChunk>(name, { maxItems: MAX_ANSWER_CHUNKS });
    let answer = emptyAnswer(name);
    for (const { value } of entries) answer = foldChunk(answer, value);
    const terminal = end && endChunk(end);
    return (terminal === undefined ? answer : foldChunk(answer, terminal)).message;
  } catch (error) {
    if (isTailraceError(error, "stream_unknown")) return undefined;
    throw error;
  }
}

function applyResult(parts: readonly Part[], result: ToolResult): readonly Part[] {
  if ("approvalId" in result) return foldTool(parts, { type: "tool-approval-response", ...result });
  return foldTool(parts, { type: "output" in result ? "tool-output-available" : "tool-output-error", ...result });
}

/** What the sent message says of the calls that wait in the kept one; undefined while one of them is not answered. */
export function resultsOf(kept: ChatMessage, sent: ChatMessage): readonly ToolResult[] | undefined {
  // What a client has sent may be anything.
  const calls = sent.parts.filter((part) => typeof part.type === "string").filter(isToolPart);
  const results: ToolResult[] = [];
  for (const part of kept.parts) {
    if (!isToolPart(part) || (part.state !== "input-available" && part.state !== "approval-requested")) continue;
    const { toolCallId } = part;
    const told = calls.findLast((other) => other.toolCallId === toolCallId);
    if (part.state === "approval-requested") {
      const approved = told?.approval?.approved;
      if (part.approval === undefined || approved === undefined) return undefined;
      const reason = told?.approval?.reason;
      const result = { toolCallId, approvalId: part.approval.id, approved };
      results.push(typeof reason === "string" ? { ...result, reason } : result);
    } else if (told?.state === "output-available") results.push({ toolCallId, output: told.output ?? null });
    else if (told?.state === "output-error") results.push({ toolCallId, errorText: told.errorText ?? "" });
    // A tool that the provider runs itself is not waited for here.
    else if (part.providerExecuted !== true) return undefined;
  }
  return results.length === 0 ? undefined : results;
}
