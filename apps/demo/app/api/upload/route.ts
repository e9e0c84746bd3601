import { receive } from "tailrace/upload";
import { invalid } from "../../../lib/input.ts";
import { route } from "../../../lib/route.ts";
import { MAX_UPLOAD_BYTES, reporterOf, sink } from "../../../lib/uploads.ts";

const ID = /^[\w-]{1,64}$/;

/** One file, as the body or in a form. `Upload-Id` names the stream of its progress. */
export const POST = route(async (request) => {
  const name = new URL(request.url).searchParams.get("name") ?? undefined;
  const id = request.headers.get("upload-id") ?? crypto.randomUUID();
  if (!ID.test(id)) throw invalid("Upload-Id", "is 1 to 64 letters, digits, - and _");
  const received = await receive(request, {
    to: sink,
    id,
    name,
    maxBytes: MAX_UPLOAD_BYTES,
    progress: reporterOf(id, name),
  });
  const { bytes, sha256 } = received;
  return Response.json({ id, name: received.name, bytes, sha256 }, { status: 201 });
});
