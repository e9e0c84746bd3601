import { folder } from "tailrace/node";
import { filesDir, uploadsDir } from "../../../../lib/folders.ts";
import { route } from "../../../../lib/route.ts";

/** An offered file, to be saved; with ranges. Uploaded ones have the path `uploads/NAME`, or NAME where no offered file is called so. */
export const GET = route<{ params: Promise<{ path: string[] }> }>(async (request, { params }) => {
  const { path } = await params;
  const options = { disposition: "attachment" } as const;
  const [first, ...rest] = path;
  if (first === "uploads" && rest.length > 0) return folder(request, uploadsDir, rest, options);
  const offered = await folder(request, filesDir, path, options);
  return offered.status === 404 ? folder(request, uploadsDir, path, options) : offered;
});

export const HEAD = GET;
