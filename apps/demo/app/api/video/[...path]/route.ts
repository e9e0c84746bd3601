import { folder } from "tailrace/node";
import { videosDir } from "../../../../lib/folders.ts";
import { route } from "../../../../lib/route.ts";

/** A video, to be watched; with ranges, so that a player can seek. */
export const GET = route<{ params: Promise<{ path: string[] }> }>(async (request, { params }) =>
  folder(request, videosDir, (await params).path),
);

export const HEAD = GET;
