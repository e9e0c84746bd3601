import { isTailraceError, sse } from "tailrace";
import { route } from "../../../lib/route.ts";
import { streams } from "../../../lib/streams.ts";

/** The stream from which the conversations are listed, and how much of it is kept: as `Conversations` makes it. */
const LIST = "chats";
const MAX_CHANGES = 50_000;

/** An event for each change of the list of conversations, the last one first: a new one, another title, a deletion. */
export const GET = route(async (request) => {
  try {
    await streams.create(LIST, { maxItems: MAX_CHANGES });
  } catch (error) {
    if (!isTailraceError(error, "stream_exists")) throw error;
  }
  // What an item holds is not sent: whoever hears of it asks for the list.
  return sse(request, streams.follow(LIST, { last: 1 }), { toEvent: () => ({ event: "change", data: "{}" }) });
});
