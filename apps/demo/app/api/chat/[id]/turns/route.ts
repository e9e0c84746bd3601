import { sse } from "tailrace";
import { conversations } from "../../../../../lib/chat.ts";
import { route } from "../../../../../lib/route.ts";

/** An event for each turn, by whomever it was begun, as it is written. Ends when the conversation is deleted. */
export const GET = route<{ params: Promise<{ id: string }> }>(async (request, { params }) =>
  sse(request, conversations.follow((await params).id), { toEvent: () => ({ event: "turn", data: "{}" }) }),
);
