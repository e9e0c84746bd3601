import { sse, TailraceError } from "tailrace";
import { route } from "../../../../../lib/route.ts";
import { streams } from "../../../../../lib/streams.ts";
import { progressName, progressOf } from "../../../../../lib/uploads.ts";

/** How an upload stands: as events, from any tab; as JSON, the newest report. */
export const GET = route<{ params: Promise<{ id: string }> }>(async (request, { params }) => {
  const { id } = await params;
  if (request.headers.get("accept")?.includes("application/json") !== true)
    return sse(request, streams.follow(progressName(id)));
  const progress = await progressOf(id);
  if (progress === undefined) throw new TailraceError("stream_unknown", "There is no such upload.");
  return Response.json(progress, { headers: { "cache-control": "no-store" } });
});
