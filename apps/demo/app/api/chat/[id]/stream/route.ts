import { uiMessageStream } from "tailrace/chat";
import { conversations } from "../../../../../lib/chat.ts";
import { route } from "../../../../../lib/route.ts";
import { streams } from "../../../../../lib/streams.ts";

/** 204 when nothing runs; else the whole answer replayed, then live; with `Last-Event-ID` only what is missing. */
export const GET = route<{ params: Promise<{ id: string }> }>(async (request, { params }) => {
  const answer = await conversations.latest((await params).id);
  const head = answer && (await streams.head(answer.name));
  const isComingBack = request.headers.has("last-event-id");
  if (answer === undefined || head === undefined || (head.end !== undefined && !isComingBack)) {
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  }
  return uiMessageStream(request, answer);
});
