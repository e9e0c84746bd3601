import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../wire/ui-message.ts";
import { placeTurn } from "./conversations-place.ts";
import { ConversationTree, type TurnRecord } from "./conversations-tree.ts";

const user = (id: string, text = id): ChatMessage => ({ id, role: "user", parts: [{ type: "text", text }] });
const ids = (tree: ConversationTree, through?: string): string[] => tree.path(through).map((node) => node.id);

/** A conversation as the plainest list of paths: what the tree is checked against. */
class Model {
  readonly parents = new Map<string, string | null>();
  readonly order: string[] = [];

  add(id: string, parent: string | null): void {
    this.parents.set(id, parent);
    this.order.push(id);
  }

  up(id: string): string[] {
    const path: string[] = [];
    for (let at: string | null = id; at !== null; at = this.parents.get(at)!) path.unshift(at);
    return path;
  }

  /** The path through a node that ends at whatever was written last below it. */
  through(id: string): string[] {
    return this.up(this.order.findLast((other) => this.up(other).includes(id))!);
  }

  siblings(id: string): string[] {
    return this.order.filter((other) => other[0] === id[0] && this.parents.get(other) === this.parents.get(id));
  }
}

describe("ConversationTree", () => {
  test("keeps every branch of any edits, regenerations and switches, and finds each path again", () => {
    const step = fc.record({ kind: fc.constantFrom("send", "edit", "again", "switch"), at: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [tree, model] = [new ConversationTree(), new Model()];
        const records: TurnRecord[] = [];
        let shown: string[] = [];
        for (const [count, { kind, at }] of steps.entries()) {
          const [question, answer] = [`q${count}`, `a${count}`];
          const questions = shown.filter((id) => id.startsWith("q"));
          const target = questions[at % Math.max(1, questions.length)];
          const place = { message: user(question), history: shown };
          if (kind === "switch") {
            const id = model.order[at % Math.max(1, model.order.length)];
            if (id !== undefined) shown = model.through(id);
            continue;
          }
          const options =
            target === undefined || kind === "send"
              ? place
              : kind === "edit"
                ? { ...place, replaces: target }
                : { message: user(target), isRegeneration: true };
          const placed = placeTurn(tree, options);
          if ("joined" in placed) throw new Error("A new turn joined an old one.");
          const record = { ...placed.record, answer };
          records.push(record);
          tree.add(record);
          if (kind === "again" && target !== undefined) model.add(answer, target);
          else {
            model.add(
              question,
              kind === "edit" && target !== undefined ? model.parents.get(target)! : (shown.at(-1) ?? null),
            );
            model.add(answer, question);
          }
          shown = model.up(answer);
          expect(ids(tree)).toEqual(shown);
        }
        const again = new ConversationTree(records);
        for (const id of model.order) {
          expect(ids(again, id)).toEqual(model.through(id));
          const siblings = model.siblings(id);
          const index = siblings.indexOf(id);
          const branch = again.branchOf(again.nodes.get(id)!);
          if (siblings.length === 1) expect(branch).toBeUndefined();
          else {
            expect(branch).toMatchObject({ index, count: siblings.length });
            expect([branch?.previousId, branch?.nextId]).toEqual([siblings[index - 1], siblings[index + 1]]);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("reads turns of older versions as they were read: a regeneration takes the place, and what follows stays", () => {
    const tree = new ConversationTree([
      { message: user("1"), answer: "a" },
      { message: user("2"), answer: "b" },
      { message: user("1"), answer: "a2" },
      { message: user("3"), answer: "c" },
    ]);
    expect(ids(tree)).toEqual(["1", "a2", "2", "b", "3", "c"]);
    expect(ids(tree, "a")).toEqual(["1", "a"]);
    tree.add({ again: "3", answer: "c2" });
    expect(ids(tree)).toEqual(["1", "a2", "2", "b", "3", "c2"]);
  });

  test("passes over records that refer to nothing", () => {
    const tree = new ConversationTree([
      { again: "none", answer: "a" },
      { continues: "none", results: [], answer: "b" },
      { message: user("1"), answer: "c", parent: "none" },
    ]);
    expect([tree.nodes.size, tree.newest, ids(tree)]).toEqual([0, undefined, []]);
  });
});

describe("placeTurn()", () => {
  const tree = new ConversationTree([{ message: user("1"), answer: "a", parent: null, key: "k" }]);

  test("joins by key and by the message itself, and refuses other content under its id", () => {
    expect(placeTurn(tree, { message: user("other"), key: "k" })).toEqual({ joined: "a" });
    expect(placeTurn(tree, { message: user("1") })).toEqual({ joined: "a" });
    expect(() => placeTurn(tree, { message: user("1", "new words") })).toThrow(/other content/);
    expect(() => placeTurn(tree, { message: user("a") })).toThrow(/other content/);
  });

  test("gives an edit in place, as the AI SDK sends it, an id of its own, and joins when it comes again", () => {
    const edit = { message: user("1", "new words"), replaces: "1" };
    const placed = placeTurn(tree, edit);
    expect(placed).toMatchObject({ record: { message: { id: "1.2" }, sentAs: "1", parent: null } });
    if ("joined" in placed) throw new Error("The edit joined what it replaces.");
    const edited = new ConversationTree([
      { message: user("1"), answer: "a", parent: null },
      { ...placed.record, answer: "b" },
    ]);
    expect(placeTurn(edited, edit)).toEqual({ joined: "b" });
  });

  test("follows the last message that is known, else the newest answer; a parent that is named must be there", () => {
    const at = (options: object): unknown => placeTurn(tree, { message: user("2"), ...options });
    expect(at({ history: ["1", "local"] })).toMatchObject({ record: { parent: "a" } });
    expect(at({ history: ["nothing"] })).toMatchObject({ record: { parent: "a" } });
    expect(at({ parent: null })).toMatchObject({ record: { parent: null } });
    expect(() => at({ parent: "nothing" })).toThrow(/no such message/);
  });
});
