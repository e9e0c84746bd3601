// Our own reply, the same handler under node:http and srvx.

import { sse } from "tailrace";
import { asyncItems, syncItems } from "./ours-sources.ts";
import { asked } from "./payload.ts";

const isSync = process.argv[2] === "sync";

export function reply(request: Request): Response {
  const wish = asked(request.url);
  return sse(request, isSync ? syncItems(wish) : asyncItems(wish));
}
