import { sse } from "tailrace";
import { measureLoad, type Load } from "../../../lib/load.ts";
import { route } from "../../../lib/route.ts";

export const GET = route((request) =>
  sse(request, ({ signal }) => measureLoad(signal), { toEvent: (load: Load) => ({ data: load }) }),
);
