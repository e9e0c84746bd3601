import { exports } from "../../../../../lib/exports.ts";
import { route } from "../../../../../lib/route.ts";

type Context = { readonly params: Promise<{ readonly id: string }> };

/** The same export again. */
export const POST = route<Context>(async (_request, { params }) => {
  const { id } = await exports.retry((await params).id);
  return Response.json({ id }, { status: 202, headers: { location: `/api/exports/${id}` } });
});
