import { TailraceError } from "tailrace";
import { conversations } from "../../../../../lib/chat.ts";
import { route } from "../../../../../lib/route.ts";

/** Stops the answer that is being written, from any tab and through any instance. Nothing to stop is fine too. */
export const POST = route<{ params: Promise<{ id: string }> }>(async (_request, { params }) => {
  const result = await conversations.stop((await params).id);
  if (result === undefined) throw new TailraceError("stream_unknown", "There is no such conversation.");
  return new Response(null, { status: 204 });
});
