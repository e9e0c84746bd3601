import { readJson } from "tailrace";
import { chatReply } from "tailrace/chat";
import { chatRequest } from "../../../lib/chat-input.ts";
import { answer, conversations } from "../../../lib/chat.ts";
import { asCount } from "../../../lib/input.ts";
import { route } from "../../../lib/route.ts";

const MAX_BODY_BYTES = 4 * 1_048_576;

/** Adds a message and streams its answer, which goes on when this reader leaves. Sent again, it joins the same answer. */
export const POST = route(async (request) => {
  const asked = chatRequest(await readJson(request, { maxBytes: MAX_BODY_BYTES }), answer);
  const run = asked.kind === "send" ? await conversations.send(asked) : await conversations.continue(asked);
  return chatReply(request, run);
});

/** The conversations, the newest first: `?count=` and `?before=` page them. */
export const GET = route(async (request) => {
  const query = new URL(request.url).searchParams;
  const count = asCount(query.get("count"), "count", 1, 1000);
  const list = await conversations.list({ count, before: query.get("before") ?? undefined });
  return Response.json(list, { headers: { "cache-control": "no-store" } });
});
