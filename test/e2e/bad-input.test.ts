// Bad input to the demo: a clear 4xx that names the field, and never a hang.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Demo } from "./demo.ts";

let demo: Demo;
beforeAll(async () => {
  demo = await Demo.start();
});
afterAll(() => demo?.remove());

const message = (text: unknown, more: object = {}): object => ({
  id: "m",
  role: "user",
  parts: [{ type: "text", text }],
  ...more,
});
const chat = (body: unknown): [string, RequestInit] => [
  "/api/chat",
  { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) },
];
const notify = (body: unknown): [string, RequestInit] => [
  "/api/notifications",
  {
    method: "POST",
    body: typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
  },
];

const cases: readonly [what: string, request: [string, RequestInit?], status: number, field?: string | undefined][] = [
  ["a body that is not JSON", notify("{title:"), 400],
  ["an empty body", notify(""), 400],
  ["a body that is not UTF-8", notify(new Uint8Array([0x22, 0xff, 0x22])), 400],
  ["a body that is no object", notify([1]), 422, "body"],
  ["null for a body", notify("null"), 422, "body"],
  ["a title that is missing", notify({ body: "b" }), 422, "title"],
  ["a title that is empty", notify({ title: "" }), 422, "title"],
  ["a title of 201 characters", notify({ title: "x".repeat(201) }), 422, "title"],
  ["a title with half a surrogate pair", notify('{"title":"\\ud800"}'), 422, "title"],
  ["a body of another type", notify({ title: "t", body: 7 }), 422, "body"],
  ["a body that is too large", notify({ title: "t", body: "x".repeat(70_000) }), 413],
  [
    "a form instead of JSON",
    ["/api/notifications", { method: "POST", body: new URLSearchParams({ title: "t" }) }],
    415,
  ],
  ["a chat without an id", chat({ messages: [message("hi")] }), 422, "id"],
  ["a chat id with a slash", chat({ id: "a/b", messages: [message("hi")] }), 422, "id"],
  ["a chat id that is too long", chat({ id: "x".repeat(129), messages: [message("hi")] }), 422, "id"],
  ["no messages", chat({ id: "c" }), 422, "messages"],
  ["messages that are none", chat({ id: "c", messages: [7] }), 422, "messages"],
  ["no message of a user", chat({ id: "c", messages: [message("hi", { role: "assistant" })] }), 422, "messages"],
  ["a message without parts", chat({ id: "c", messages: [{ id: "m", role: "user" }] }), 422, "messages[0].parts"],
  ["a message without text", chat({ id: "c", messages: [message("  ")] }), 422, "messages[0].parts"],
  ["a text that is a number", chat({ id: "c", messages: [message(7)] }), 422, "messages[0].parts"],
  ["a message without an id", chat({ id: "c", messages: [message("hi", { id: undefined })] }), 422, "messages[0].id"],
  ["an unknown trigger", chat({ id: "c", messages: [message("hi")], trigger: "other" }), 422, "trigger"],
  ["a chat that is too large", chat({ id: "c", messages: [message("x".repeat(4_200_000))] }), 413],
  ["no prompt", ["/api/text"], 422, "prompt"],
  ["an empty prompt", ["/api/text?prompt="], 422, "prompt"],
  ["a count that is no number", ["/api/events?last=many"], 422, "last"],
  ["a count that is too large", ["/api/events?last=1001"], 422, "last"],
  ["a negative count", ["/api/events?last=-1"], 422, "last"],
  ["a malformed Last-Event-ID", ["/api/events", { headers: { "last-event-id": "bogus" } }], 400],
  ["a Last-Event-ID that is no UTF-8", ["/api/events", { headers: { "last-event-id": "\u00ff" } }], 400],
  ["messages of an unknown chat", ["/api/chat/unknown/messages"], 404],
  ["stop of an unknown chat", ["/api/chat/unknown/stop", { method: "POST" }], 404],
  ["messages of a chat with an impossible id", ["/api/chat/a%2Fb/messages"], 422, "id"],
];

describe("bad input", () => {
  test.each(cases)("%s is told", async (_what, [path, init], status, field) => {
    const response = await fetch(demo.url + path, { signal: AbortSignal.timeout(100_000), ...init });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({
      type: "about:blank",
      status,
      title: expect.any(String),
      detail: expect.any(String),
      code: expect.any(String),
    });
    if (field !== undefined) expect(problem["field"]).toBe(field);
    expect(JSON.stringify(problem)).not.toMatch(/node_modules|\.ts:|\/apps\//);
  });

  test("a malformed Last-Event-ID is ignored by a plain stream", async () => {
    const response = await fetch(`${demo.url}/api/load`, { headers: { "last-event-id": "\u00ff" } });
    expect(response.status).toBe(200);
    await response.body!.cancel();
  });

  test("an unknown chat has no stream: 204", async () => {
    expect((await fetch(`${demo.url}/api/chat/unknown/stream`)).status).toBe(204);
    expect((await fetch(`${demo.url}/api/chat/unknown/stream`, { headers: { "last-event-id": "21a" } })).status).toBe(
      204,
    );
  });

  test("methods that a route does not know are 405", async () => {
    expect((await fetch(`${demo.url}/api/events`, { method: "DELETE" })).status).toBe(405);
    expect((await fetch(`${demo.url}/api/chat`, { method: "PUT" })).status).toBe(405);
  });
});
