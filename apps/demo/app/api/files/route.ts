import { filesDir, uploadsDir, videosDir } from "../../../lib/folders.ts";
import { listFolder } from "../../../lib/list-folder.ts";
import { route } from "../../../lib/route.ts";

export const GET = route(async () => {
  const [files, videos, uploads] = await Promise.all([filesDir, videosDir, uploadsDir].map(listFolder));
  return Response.json({ files, videos, uploads }, { headers: { "cache-control": "no-store" } });
});
