import { readJson, text } from "tailrace";
import { textOf, uiMessageStream, type ChatMessage } from "tailrace/chat";
import { answer, conversations } from "../../../lib/chat.ts";
import { asChoice, asObject, asText, invalid } from "../../../lib/input.ts";
import { route } from "../../../lib/route.ts";

const MAX_BODY_BYTES = 4 * 1_048_576;
const MAX_MESSAGES = 10_000;
const MAX_TEXT = 100_000;

/** Adds a message and streams its answer, which goes on when this reader leaves. Sent again, it joins the same answer. */
export const POST = route(async (request) => {
  const body = asObject(await readJson(request, { maxBytes: MAX_BODY_BYTES }));
  const id = asText(body["id"], "id", 1, 128);
  const trigger = asChoice(body["trigger"] ?? "submit-message", "trigger", ["submit-message", "regenerate-message"]);
  const message = lastUserMessage(body["messages"]);
  const run = await conversations.send({ id, message, isRegeneration: trigger === "regenerate-message", answer });
  const wantsText = request.headers.get("accept")?.trim().startsWith("text/plain") === true;
  return wantsText ? text(request, textOf(run)) : uiMessageStream(request, run);
});

function lastUserMessage(messages: unknown): ChatMessage {
  if (!Array.isArray(messages) || messages.length === 0 || messages.length > MAX_MESSAGES) {
    throw invalid("messages", `is a list of 1 to ${MAX_MESSAGES.toLocaleString("en")} messages`);
  }
  const index = messages.findLastIndex((message) => asObject(message, "messages")["role"] === "user");
  if (index < 0) throw invalid("messages", "has a message of the role user in it");
  const field = `messages[${index}]`;
  const message = asObject(messages[index], field);
  const parts = message["parts"];
  if (!Array.isArray(parts) || parts.length === 0) throw invalid(`${field}.parts`, "is a list of at least one part");
  const texts = parts
    .map((part) => asObject(part, `${field}.parts`))
    .filter((part) => part["type"] === "text")
    .map((part) => ({ type: "text" as const, text: asText(part["text"], `${field}.parts`, 0, MAX_TEXT) }));
  if (texts.every((part) => part.text.trim() === "")) throw invalid(`${field}.parts`, "has a text in it");
  return { id: asText(message["id"], `${field}.id`, 1, 200), role: "user", parts: texts };
}
