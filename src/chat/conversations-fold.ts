// Messages out of the log: questions as they were written, and answers with what came of their tools put into them.

import type { ThreadMessage } from "../wire/chat-thread.ts";
import { isToolPart, type Part } from "../wire/ui-message-parts.ts";
import { foldTool } from "../wire/ui-message-tools.ts";
import type { ChatMessage } from "../wire/ui-message.ts";
import type { Answers } from "./conversations-answers.ts";
import type { ConversationTree, ToolResult, TreeNode } from "./conversations-tree.ts";

/** How many answers are read at the same time. */
const MAX_READS = 16;

/** The messages of these nodes. An answer whose run never began, or is no longer kept, is left out. */
export async function foldNodes(
  answers: Answers,
  tree: ConversationTree,
  nodes: readonly TreeNode[],
): Promise<readonly ThreadMessage[]> {
  const messages: ThreadMessage[] = [];
  for (let from = 0; from < nodes.length; from += MAX_READS) {
    const some = nodes.slice(from, from + MAX_READS);
    const folded = await Promise.all(some.map((node) => foldNode(answers, node)));
    for (const [index, message] of folded.entries()) {
      if (message === undefined) continue;
      const branch = tree.branchOf(some[index]!);
      messages.push(branch === undefined ? message : { ...message, branch });
    }
  }
  return messages;
}

/** The message of one node. */
export async function foldNode(answers: Answers, node: TreeNode): Promise<ChatMessage | undefined> {
  const message = node.message ?? (await answers.message(node.id));
  if (message === undefined || node.results === undefined) return message;
  return { ...message, parts: node.results.reduce(applyResult, message.parts) };
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
