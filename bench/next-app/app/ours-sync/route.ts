// Ours from a sync iterable, in a Next.js route.

import { sse } from "tailrace";
import { syncItems } from "../../../servers/ours-sources.ts";
import { asked } from "../../../servers/payload.ts";

export function GET(request: Request): Response {
  return sse(request, syncItems(asked(request.url)));
}
