// `receive` as a web handler, for every host: to a folder, or to a sink that forgets. `sha256` in the address makes the digest.

import { rm } from "node:fs/promises";
import { diskSink } from "tailrace/node";
import { receive, releaseChunk, type Sink } from "tailrace/upload";
import { FOLDER } from "./uploads-ends.ts";

const disk = diskSink(FOLDER);
const nowhere: Sink = {
  open: () =>
    Promise.resolve({
      write: releaseChunk,
      commit: () => Promise.resolve({ key: "nowhere" }),
      abort: () => Promise.resolve(),
    }),
};

export async function upload(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const to = pathname.includes("disk") ? disk : nowhere;
  const { bytes, stored } = await receive(request, { to, maxBytes: 1e10, sha256: pathname.includes("sha256") });
  if (stored.path !== undefined) setImmediate(() => void rm(stored.path ?? ""));
  return Response.json({ bytes });
}
