import { jobs } from "../../../../../lib/jobs.ts";
import { route } from "../../../../../lib/route.ts";

type Context = { readonly params: Promise<{ readonly id: string }> };

/** The same work again, as a new job. */
export const POST = route<Context>(async (_request, { params }) => {
  const { id } = await jobs.retry((await params).id);
  return Response.json({ id }, { status: 202, headers: { location: `/api/jobs/${id}` } });
});
