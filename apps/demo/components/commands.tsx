// Lines for a terminal, with the address that this page came from.

"use client";

import { type ReactElement, useSyncExternalStore } from "react";

/** What stands there until the browser tells its own. */
const USUAL_ORIGIN = "http://127.0.0.1:3000";

const noChange = (): (() => void) => () => undefined;

export function Commands(): ReactElement {
  const origin = useSyncExternalStore(
    noChange,
    () => window.location.origin,
    () => USUAL_ORIGIN,
  );
  const groups = [
    {
      says: "Follow the notifications, and publish one from another terminal.",
      lines: [
        `curl -N ${origin}/api/events`,
        `curl ${origin}/api/notifications -H 'content-type: application/json' \\\n  -d '{"title":"Hello","body":"from a terminal"}'`,
      ],
    },
    {
      says: "Come back with the last id that you saw: only what you missed is sent.",
      lines: [`curl -N ${origin}/api/events -H 'Last-Event-ID: PUT-AN-ID-HERE'`],
    },
    {
      says: "An answer as plain text, and a conversation that somebody has in a browser.",
      lines: [
        `curl -N '${origin}/api/text?prompt=How+does+a+reader+resume'`,
        `curl ${origin}/api/chat/PUT-THE-ID-HERE/messages`,
      ],
    },
  ];
  return (
    <div className="commands">
      {groups.map(({ says, lines }) => (
        <div key={says}>
          <p>{says}</p>
          {/* It scrolls sideways, so it must be reachable by the keyboard. */}
          <pre tabIndex={0}>
            <code>{lines.join("\n")}</code>
          </pre>
        </div>
      ))}
    </div>
  );
}
