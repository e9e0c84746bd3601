import { describe, expect, test } from "vitest";
import type { Answerer } from "tailrace/chat";
import { chatRequest } from "./chat-input.ts";

const answer: Answerer = async function* () {};
const user = (id: string, parts: unknown = [{ type: "text", text: "Hi" }]): object => ({ id, role: "user", parts });
const read = (body: object): unknown => chatRequest({ id: "c", ...body }, answer);

describe("chatRequest()", () => {
  test("reads what the AI SDK sends: the last question, and where it stands", () => {
    const messages = [user("1"), { id: "a", role: "assistant", parts: [{ type: "text", text: "Yes" }] }, user("2")];
    expect(read({ messages, trigger: "submit-message" })).toEqual({
      kind: "send",
      id: "c",
      key: undefined,
      answer,
      message: user("2"),
      history: ["1", "a"],
      replaces: undefined,
      isRegeneration: false,
    });
    expect(read({ messages, trigger: "regenerate-message", messageId: "a" })).toMatchObject({
      isRegeneration: true,
      replaces: "a",
    });
  });

  test("reads our own client's history and key, and an answer that comes back with results", () => {
    expect(read({ messages: [user("2")], history: ["1", "a"], key: "k" })).toMatchObject({
      history: ["1", "a"],
      key: "k",
    });
    const parts = [{ type: "tool-time", toolCallId: "t", state: "output-available", output: 1 }];
    const message = { id: "a", role: "assistant", parts };
    expect(read({ messages: [message] })).toMatchObject({ kind: "continue", message });
  });

  test("takes files of this server alone", () => {
    const file = { type: "file", url: "/api/download/a.png", mediaType: "image/png" };
    expect(read({ messages: [user("1", [file, { type: "tool-x" }])] })).toMatchObject({ message: { parts: [file] } });
    for (const url of ["https://elsewhere/", "//elsewhere", "/\\elsewhere", "data:,x", ""]) {
      expect(() => read({ messages: [user("1", [{ ...file, url }])] })).toThrow(/parts/);
    }
    expect(() =>
      read({
        messages: [
          user(
            "1",
            Array.from({ length: 21 }, () => file),
          ),
        ],
      }),
    ).toThrow(/at most 20 files/);
  });

  test.each([
    [{ messages: [] }, /messages/],
    [{ messages: [user("")] }, /id/],
    [{ messages: [user("1", [{ type: "text", text: " " }])] }, /has a text or a file/],
    [{ messages: [user("1")], history: "a" }, /history/],
    [{ messages: [user("1")], trigger: "else" }, /trigger/],
    [{ messages: [{ id: "s", role: "system", parts: [{ type: "text", text: "x" }] }] }, /role user/],
  ])("refuses %j", (body, what) => {
    expect(() => read(body)).toThrow(what);
  });
});
