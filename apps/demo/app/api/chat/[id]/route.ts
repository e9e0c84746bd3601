import { readJson } from "tailrace";
import { known } from "../../../../lib/chat-input.ts";
import { conversations } from "../../../../lib/chat.ts";
import { asObject, asText } from "../../../../lib/input.ts";
import { route } from "../../../../lib/route.ts";

type Context = { params: Promise<{ id: string }> };

/** The whole conversation with all of its branches, to be saved. */
export const GET = route<Context>(async (_request, { params }) => {
  const { id } = await params;
  const document = known(await conversations.export(id));
  return Response.json(document, {
    headers: {
      "cache-control": "no-store",
      "content-disposition": `attachment; filename="chat-${id.replaceAll(":", "_")}.json"`,
    },
  });
});

/** Gives it a title. */
export const PATCH = route<Context>(async (request, { params }) => {
  const body = asObject(await readJson(request, { maxBytes: 10_000 }));
  const isThere = await conversations.setTitle((await params).id, asText(body["title"], "title", 1, 200));
  known(isThere || undefined);
  return new Response(null, { status: 204 });
});

/** Deletes it with all of its answers. What is gone already is fine too. */
export const DELETE = route<Context>(async (_request, { params }) => {
  await conversations.delete((await params).id);
  return new Response(null, { status: 204 });
});
