// The turns of a conversation as a tree: a question follows an answer, and each question has one answer or several.

import type { MessageBranch } from "../wire/chat-thread.ts";
import type { ChatMessage } from "../wire/ui-message.ts";

/** What came of a tool call of an answer: its output, its failure, or the word of whoever was asked. */
export type ToolResult =
  | { readonly toolCallId: string; readonly output: unknown }
  | { readonly toolCallId: string; readonly errorText: string }
  | {
      readonly toolCallId: string;
      readonly approvalId: string;
      readonly approved: boolean;
      readonly reason?: string | undefined;
    };

interface Told {
  /** When it was written, in milliseconds since 1970. Absent in turns of older versions. */
  readonly at?: number | undefined;
  /** What the sender calls this request: the same key again is the same turn. */
  readonly key?: string | undefined;
}

/** A question, and the stream of its first answer. */
export interface QuestionRecord extends Told {
  readonly message: ChatMessage;
  readonly answer: string;
  /** The answer that it follows; null at the beginning. Absent in older turns: it follows the one written before it. */
  readonly parent?: string | null | undefined;
  /** The id under which it was sent, where a message of that id was there already. */
  readonly sentAs?: string | undefined;
}

/** Another answer to a question. */
export interface AgainRecord extends Told {
  readonly again: string;
  readonly answer: string;
}

/** The answer that goes on where another waits for the results of its tools. */
export interface ContinueRecord extends Told {
  readonly continues: string;
  readonly results: readonly ToolResult[];
  readonly answer: string;
}

export interface TitleRecord extends Told {
  readonly title: string;
}

/** One item of a conversation's stream. */
export type TurnRecord = QuestionRecord | AgainRecord | ContinueRecord | TitleRecord;

/** A message in the tree. */
export interface TreeNode {
  readonly id: string;
  readonly role: "user" | "assistant";
  parent: string | null;
  readonly children: string[];
  readonly at: number | undefined;
  /** Of a question: itself. An answer is folded from the stream of its id. */
  readonly message?: ChatMessage | undefined;
  /** Of an answer whose tools have run: what came of them. */
  results?: readonly ToolResult[] | undefined;
}

/** A tree of turns, made from the records in their order. */
export class ConversationTree {
  readonly nodes: Map<string, TreeNode> = new Map();
  /** The title that was set. */
  title: string | undefined;
  /** The answer that was begun last. */
  newest: string | undefined;
  readonly #roots: string[] = [];
  readonly #keys = new Map<string, string>();
  readonly #sent = new Map<string, TreeNode[]>();
  /** The end of the path that old turns, which name no parent, go on with. */
  #tip: string | null = null;

  constructor(records: Iterable<TurnRecord> = []) {
    for (const record of records) this.add(record);
  }

  /** Adds a record. One that refers to nothing is passed over. */
  add(record: TurnRecord): void {
    if ("title" in record) {
      this.title = record.title;
      return;
    }
    if ("message" in record) this.#addQuestion(record);
    else if ("again" in record) this.#addAnswer(record.again, record);
    else this.#addContinuation(record);
  }

  /** The answer that the request of this key has begun. */
  answerOfKey(key: string | undefined): string | undefined {
    return key === undefined ? undefined : this.#keys.get(key);
  }

  /** The questions that were sent under this id, the oldest first: several where one was edited in place. */
  sentAs(id: string): readonly TreeNode[] {
    return this.#sent.get(id) ?? [];
  }

  /** The newest answer to a question. */
  answerTo(question: TreeNode): string | undefined {
    return question.children.findLast((id) => this.nodes.get(id)?.role === "assistant");
  }

  /** The question that an answer belongs to; of a question, itself. */
  questionOf(id: string): TreeNode | undefined {
    let node = this.nodes.get(id);
    while (node !== undefined && node.role === "assistant") {
      node = node.parent === null ? undefined : this.nodes.get(node.parent);
    }
    return node;
  }

  /** The nodes from the beginning up to and with `id`. */
  pathTo(id: string): readonly TreeNode[] {
    const path: TreeNode[] = [];
    for (let node = this.nodes.get(id); node !== undefined; node = this.nodes.get(node.parent ?? "")) path.push(node);
    return path.toReversed();
  }

  /**
   * One whole path: through `through`, and from there on with what was written last. Without it, through the newest answer.
   * Empty if there is no such node.
   */
  path(through: string | undefined = this.newest): readonly TreeNode[] {
    const path = [...(through === undefined ? [] : this.pathTo(through))];
    const last = path.at(-1);
    if (last === undefined || last.children.length === 0) return path;
    const latest = this.#latest();
    for (let node: TreeNode | undefined = last; node !== undefined;) {
      let next: TreeNode | undefined;
      for (const id of node.children) {
        const child = this.nodes.get(id)!;
        if (next === undefined || latest.get(child)! >= latest.get(next)!) next = child;
      }
      if (next !== undefined) path.push(next);
      node = next;
    }
    return path;
  }

  /** Which of its siblings a node is; undefined where it is the only one. */
  branchOf(node: TreeNode): MessageBranch | undefined {
    const all = node.parent === null ? this.#roots : (this.nodes.get(node.parent)?.children ?? []);
    const siblings = all.filter((id) => this.nodes.get(id)?.role === node.role);
    if (siblings.length < 2) return undefined;
    const index = siblings.indexOf(node.id);
    const [previousId, nextId] = [siblings[index - 1], siblings[index + 1]];
    return {
      index,
      count: siblings.length,
      ...(previousId === undefined ? {} : { previousId }),
      ...(nextId === undefined ? {} : { nextId }),
    };
  }

  #addQuestion(record: QuestionRecord): void {
    const { message, answer, parent, at, sentAs } = record;
    const known = this.nodes.get(message.id);
    if (known !== undefined) {
      // Only old turns write a question twice: its new answer takes the place of the old one, with all that followed.
      const followers = known.children.flatMap((id) => this.nodes.get(id)?.children.splice(0) ?? []);
      this.#addAnswer(message.id, record);
      for (const id of followers) this.nodes.get(id)!.parent = answer;
      this.nodes.get(answer)?.children.push(...followers);
      if (followers.length > 0) this.#tip = this.path(answer).at(-1)!.id;
      return;
    }
    const place = parent === undefined ? this.#tip : parent;
    if (place !== null && !this.nodes.has(place)) return;
    const node: TreeNode = { id: message.id, role: "user", parent: place, children: [], at, message };
    this.#put(node);
    for (const id of new Set([message.id, sentAs ?? message.id])) {
      const sent = this.#sent.get(id);
      if (sent === undefined) this.#sent.set(id, [node]);
      else sent.push(node);
    }
    this.#addAnswer(message.id, record);
  }

  #addContinuation(record: ContinueRecord): void {
    const node = this.nodes.get(record.continues);
    if (node === undefined || node.role !== "assistant" || node.results !== undefined) return;
    node.results = record.results;
    this.#addAnswer(node.id, record);
  }

  #addAnswer(parent: string, { answer, at, key }: Told & { readonly answer: string }): void {
    if (!this.nodes.has(parent) || this.nodes.has(answer)) return;
    this.#put({ id: answer, role: "assistant", parent, children: [], at });
    this.newest = answer;
    this.#tip = answer;
    if (key !== undefined) this.#keys.set(key, answer);
  }

  #put(node: TreeNode): void {
    this.nodes.set(node.id, node);
    if (node.parent === null) this.#roots.push(node.id);
    else this.nodes.get(node.parent)!.children.push(node.id);
  }

  /** For each node, how late something was written at it or below it. */
  #latest(): ReadonlyMap<TreeNode, number> {
    const all = [...this.nodes.values()];
    const latest = new Map(all.map((node, index) => [node, index]));
    for (const node of all.toReversed()) {
      const parent = this.nodes.get(node.parent ?? "");
      if (parent !== undefined) latest.set(parent, Math.max(latest.get(parent)!, latest.get(node)!));
    }
    return latest;
  }
}
