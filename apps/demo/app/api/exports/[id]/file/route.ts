import { exports } from "../../../../../lib/exports.ts";
import { route } from "../../../../../lib/route.ts";

type Context = { readonly params: Promise<{ readonly id: string }> };

/** The file of an export that is done, with ranges. */
export const GET = route<Context>(async (request, { params }) => exports.file(request, (await params).id));
export const HEAD = GET;
