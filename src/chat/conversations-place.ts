// What a request means in a conversation: an answer that is there already, or a new turn and its place.

import { TailraceError } from "../errors.ts";
import type { ConversationTree, QuestionRecord, AgainRecord, TreeNode } from "./conversations-tree.ts";
import type { SendOptions } from "./conversations-types.ts";

/** A new turn that lacks its answer's name, or the name of the answer to join. */
export type Placement =
  | { readonly joined: string }
  | { readonly record: Omit<QuestionRecord, "answer"> | Omit<AgainRecord, "answer"> };

/** @throws {TailraceError} `conflict` */
export function placeTurn(tree: ConversationTree, options: Omit<SendOptions, "answer" | "id">): Placement {
  const { message, key, replaces, isRegeneration = false } = options;
  const told = key === undefined ? {} : { key };
  const begun = tree.answerOfKey(key);
  if (begun !== undefined) return { joined: begun };
  const namesakes = tree.sentAs(message.id);
  if (isRegeneration) {
    const question = (replaces === undefined ? undefined : tree.questionOf(replaces)) ?? namesakes.at(-1);
    if (question !== undefined) return { record: { ...told, again: question.id } };
  }
  const original = isRegeneration || replaces === undefined ? undefined : tree.nodes.get(replaces);
  const edited = original?.role === "user" ? original : undefined;
  if (namesakes.length > 0) {
    const same = namesakes.findLast((node) => isSame(node, options));
    const answer = same && tree.answerTo(same);
    if (answer !== undefined) return { joined: answer };
    // The AI SDK edits in place: the id stays, so that the log finds another one for the new version.
    if (edited === undefined || replaces !== message.id) throw taken(message.id);
    const id = freeId(tree, message.id);
    return { record: { ...told, message: { ...message, id }, sentAs: message.id, parent: edited.parent } };
  }
  if (tree.nodes.has(message.id)) throw taken(message.id);
  return { record: { ...told, message, parent: edited === undefined ? parentOf(tree, options) : edited.parent } };
}

/** The id of the answer that a new message follows. @throws {TailraceError} `conflict` */
function parentOf(tree: ConversationTree, { parent, history }: Omit<SendOptions, "answer" | "id">): string | null {
  if (parent === null) return null;
  const seen = parent ?? history?.findLast((id) => tree.nodes.has(id) || tree.sentAs(id).length > 0);
  if (seen === undefined) return tree.path().at(-1)?.id ?? null;
  const node = tree.nodes.get(seen) ?? tree.sentAs(seen).at(-1);
  const answer = node?.role === "user" ? tree.answerTo(node) : node?.id;
  if (answer !== undefined) return answer;
  const text = "The conversation has no such message to follow; load it again.";
  throw new TailraceError("conflict", text, { details: { field: "parent", parent: seen.slice(0, 200) } });
}

function isSame(node: TreeNode, { message }: Pick<SendOptions, "message">): boolean {
  return JSON.stringify(node.message?.parts) === JSON.stringify(message.parts);
}

function freeId(tree: ConversationTree, id: string): string {
  for (let version = 2; ; version++) if (!tree.nodes.has(`${id}.${version}`)) return `${id}.${version}`;
}

function taken(id: string): TailraceError {
  const text =
    "The conversation has a message of this id with other content, and what is kept is not changed. " +
    "Send it under an id of its own, or name what it replaces.";
  return new TailraceError("conflict", text, { details: { field: "message.id", id: id.slice(0, 200) } });
}
