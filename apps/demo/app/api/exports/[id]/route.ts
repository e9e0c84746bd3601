import { sse, TailraceError } from "tailrace";
import { exportEvent } from "tailrace/node";
import { exports } from "../../../../lib/exports.ts";
import { route } from "../../../../lib/route.ts";

type Context = { readonly params: Promise<{ readonly id: string }> };

/** How an export goes. */
export const GET = route<Context>(async (request, { params }) =>
  sse(request, exports.follow((await params).id), { toEvent: (item) => exportEvent(item) }),
);

/** Cancels it. */
export const DELETE = route<Context>(async (_request, { params }) => {
  const { state } = await exports.cancel((await params).id);
  if (state === "unknown") throw new TailraceError("stream_unknown", "There is no such export.");
  return new Response(null, { status: 204 });
});
