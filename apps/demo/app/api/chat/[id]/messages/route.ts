import { TailraceError } from "tailrace";
import { conversations } from "../../../../../lib/chat.ts";
import { route } from "../../../../../lib/route.ts";

/** The saved conversation, a partial answer too. */
export const GET = route<{ params: Promise<{ id: string }> }>(async (_request, { params }) => {
  const { id } = await params;
  const messages = await conversations.messages(id);
  if (messages === undefined) throw new TailraceError("stream_unknown", "There is no such conversation.");
  return Response.json({ id, messages }, { headers: { "cache-control": "no-store" } });
});
