// Our own file reply, the same handler under node:http and srvx.

import { file } from "tailrace";
import { diskFile } from "tailrace/node";
import { pathOf } from "./files-root.ts";

export function reply(request: Request): Promise<Response> {
  return file(request, diskFile(pathOf(request.url)));
}
