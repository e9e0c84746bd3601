// Ours from an async generator, in a Next.js route.

import { sse } from "tailrace";
import { asyncItems } from "../../../servers/ours-sources.ts";
import { asked } from "../../../servers/payload.ts";

export function GET(request: Request): Response {
  return sse(request, asyncItems(asked(request.url)));
}
