import { exports } from "../../../../../lib/exports.ts";
import { route } from "../../../../../lib/route.ts";

type Context = { readonly params: Promise<{ readonly id: string }> };

/** Next would compress it for browsers, which could then neither resume it nor say how much is to come. */
const CACHE_CONTROL = "max-age=0, must-revalidate, no-transform";

/** The file of an export that is done, with ranges. */
export const GET = route<Context>(async (request, { params }) =>
  exports.file(request, (await params).id, { cacheControl: CACHE_CONTROL }),
);
export const HEAD = GET;
