// Notifications: one stream that everybody follows and anybody may append to.

import { streams } from "./streams.ts";

export interface Notification {
  readonly title: string;
  readonly body: string;
  /** When it was published, as an ISO 8601 time. */
  readonly at: string;
}

/** The name of the stream. */
export const NOTIFICATIONS = "notifications";

let made: Promise<unknown> | undefined;

/** Makes the stream once per process; a failure is tried again by the next caller. */
export async function openNotifications(): Promise<void> {
  made ??= streams.create(NOTIFICATIONS, { maxItems: 1_000 });
  try {
    await made;
  } catch (error) {
    made = undefined;
    throw error;
  }
}

/** Publishes a notification. @returns its id, the one that readers see */
export async function publish(title: string, body: string): Promise<string> {
  await openNotifications();
  const notification: Notification = { title, body, at: new Date().toISOString() };
  const { tail } = await streams.append(NOTIFICATIONS, [notification]);
  return tail;
}
