// The notifications, newest first.

import { memo, type ReactElement } from "react";
import type { StreamItem } from "tailrace/react";

export interface Notification {
  readonly title: string;
  readonly body: string;
  /** ISO 8601. */
  readonly at: string;
}

interface ListProps {
  /** Oldest first, as they came. */
  readonly notifications: readonly StreamItem<Notification>[];
  readonly isLoading: boolean;
}

const TIME: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const DAY: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

export function NotificationList({ notifications, isLoading }: ListProps): ReactElement {
  if (notifications.length === 0) {
    return (
      <p className="notifications-none">{isLoading ? "Waiting for the server…" : "Nothing yet. Publish the first."}</p>
    );
  }
  return (
    <ol className="notifications" reversed>
      {notifications.toReversed().map(({ id, data }) => (
        <Entry key={id} id={id} notification={data} />
      ))}
    </ol>
  );
}

const Entry = memo(function Entry({ id, notification }: { readonly id: string; readonly notification: Notification }) {
  const { title, body, at } = notification;
  const date = new Date(at);
  return (
    <li data-testid="notification" data-id={id}>
      <h3>{title}</h3>
      <time dateTime={at} title={DAY.format(date)}>
        {TIME.format(date)}
      </time>
      {body === "" ? null : <p>{body}</p>}
    </li>
  );
});
