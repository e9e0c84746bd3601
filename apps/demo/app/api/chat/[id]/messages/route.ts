import { known } from "../../../../../lib/chat-input.ts";
import { conversations } from "../../../../../lib/chat.ts";
import { asCount } from "../../../../../lib/input.ts";
import { route } from "../../../../../lib/route.ts";

/** The saved conversation, a partial answer too: its last `count` messages, those before `before`, or another `branch`. */
export const GET = route<{ params: Promise<{ id: string }> }>(async (request, { params }) => {
  const { id } = await params;
  const query = new URL(request.url).searchParams;
  const page = await conversations.page(id, {
    count: asCount(query.get("count"), "count", 1, 10_000),
    before: query.get("before") ?? undefined,
    branch: query.get("branch") ?? undefined,
  });
  return Response.json(known(page), { headers: { "cache-control": "no-store" } });
});
