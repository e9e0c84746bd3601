import { jobEvent, sse, TailraceError } from "tailrace";
import { jobs } from "../../../../lib/jobs.ts";
import { route } from "../../../../lib/route.ts";

type Context = { readonly params: Promise<{ readonly id: string }> };

/** How a job goes: what has been, and what comes. */
export const GET = route<Context>(async (request, { params }) =>
  sse(request, jobs.follow((await params).id), { toEvent: jobEvent }),
);

/** Cancels it. */
export const DELETE = route<Context>(async (_request, { params }) => {
  const { state } = await jobs.cancel((await params).id);
  if (state === "unknown") throw new TailraceError("stream_unknown", "There is no such job.");
  return new Response(null, { status: 204 });
});
