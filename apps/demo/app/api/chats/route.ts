import { sse } from "tailrace";
import { conversations } from "../../../lib/chat.ts";
import { route } from "../../../lib/route.ts";

/** An event for each change of the list of conversations, the last one first: a new one, another title, a deletion. */
export const GET = route(async (request) =>
  // What an item holds is not sent: whoever hears of it asks for the list.
  sse(request, await conversations.followList(), { toEvent: () => ({ event: "change", data: "{}" }) }),
);
