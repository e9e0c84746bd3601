import { readJson } from "tailrace";
import { asObject, asText } from "../../../lib/input.ts";
import { publish } from "../../../lib/notifications.ts";
import { route } from "../../../lib/route.ts";

export const POST = route(async (request) => {
  const body = asObject(await readJson(request, { maxBytes: 65_536 }));
  const title = asText(body["title"], "title", 1, 200);
  const text = asText(body["body"] ?? "", "body", 0, 4_000);
  return Response.json({ id: await publish(title, text) }, { status: 201 });
});
