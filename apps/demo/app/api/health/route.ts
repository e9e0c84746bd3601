import { route } from "../../../lib/route.ts";
import { streams } from "../../../lib/streams.ts";

export const GET = route(async () => {
  await streams.head("health"); // a store that cannot be read is not healthy
  return Response.json({ status: "ok", store: streams.store.kind }, { headers: { "cache-control": "no-store" } });
});
