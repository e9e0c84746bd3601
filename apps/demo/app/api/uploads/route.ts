import { route } from "../../../lib/route.ts";
import { recentUploads } from "../../../lib/uploads.ts";

const SHOWN_COUNT = 20;

export const GET = route(async () =>
  Response.json({ uploads: await recentUploads(SHOWN_COUNT) }, { headers: { "cache-control": "no-store" } }),
);
