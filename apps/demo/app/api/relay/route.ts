import { relayPath } from "../../../lib/relay.ts";
import { route } from "../../../lib/route.ts";

/** What another server has at `path`, streamed through. */
export const GET = route((request) => relayPath(request, new URL(request.url).searchParams.get("path")));
