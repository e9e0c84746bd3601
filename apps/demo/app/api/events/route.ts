import { sse } from "tailrace";
import { asCount } from "../../../lib/input.ts";
import { NOTIFICATIONS, openNotifications, type Notification } from "../../../lib/notifications.ts";
import { route } from "../../../lib/route.ts";
import { streams } from "../../../lib/streams.ts";

/** `connected`, then each notification. A first visit begins now, or with the `last` ones; one that comes back misses none. */
export const GET = route(async (request) => {
  const last = asCount(new URL(request.url).searchParams.get("last"), "last", 0, 1_000);
  await openNotifications();
  const source = streams.follow<Notification>(NOTIFICATIONS, last === undefined ? { after: "now" } : { last });
  return sse(request, source, {
    first: [{ event: "connected", data: { status: "ok" } }],
    toEvent: (notification) => ({ event: "notification", data: notification }),
  });
});
