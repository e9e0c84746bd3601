// Notifications as they come, and the form that publishes one.

"use client";

import { type ReactElement, useState } from "react";
import { type StreamItem, useStream } from "tailrace/react";
import { Connection } from "./connection.tsx";
import { LoadPanel } from "./load-panel.tsx";
import { type Notification, NotificationList } from "./notification-list.tsx";
import { PublishForm } from "./publish-form.tsx";

/** Notifications that the page keeps; older ones go. */
const MAX_SHOWN_COUNT = 200;

export function Live(): ReactElement {
  const stream = useStream<Notification>("/api/events?last=20", { maxItems: MAX_SHOWN_COUNT });
  const notifications = stream.events.filter(({ event }) => event === "notification");
  const news = useNews(stream.events.length > 0, notifications.at(-1));
  const isCut = stream.status === "waiting" || (stream.status === "connecting" && stream.attempt > 0);

  return (
    <main className="page">
      <div className="live-head">
        <h1>Live</h1>
        <Connection state={stream} />
        {stream.status === "failed" ? (
          <button type="button" className="button button-small" onClick={stream.reconnect}>
            Connect again
          </button>
        ) : null}
      </div>
      <p className="lead">
        Publish something here, in another tab or with curl, and every reader sees it. Restart the server meanwhile: the
        page comes back and asks for what it missed.
      </p>
      <div className="live">
        <section aria-labelledby="notifications">
          <h2 id="notifications">Notifications</h2>
          <PublishForm />
          <div role="alert">
            {stream.status === "failed" ? <p className="notice notice-danger">{stream.error?.message}</p> : null}
          </div>
          {stream.gap === null ? null : (
            <p className="notice" data-testid="gap">
              Some notifications are missing here: the server no longer kept them when this page came back.
            </p>
          )}
          <NotificationList notifications={notifications} isLoading={stream.events.length === 0} />
        </section>
        <LoadPanel />
      </div>
      <div role="status" className="visually-hidden">
        {isCut ? "Connection lost. Reconnecting." : news}
      </div>
    </main>
  );
}

/** What is said of the newest notification; nothing of those that were there when the page came. */
function useNews(hasArrived: boolean, newest: StreamItem<Notification> | undefined): string {
  const [first, setFirst] = useState<string>();
  if (first === undefined && hasArrived) setFirst(newest?.id ?? "");
  return newest === undefined || first === undefined || newest.id === first ? "" : `New: ${newest.data.title}`;
}
