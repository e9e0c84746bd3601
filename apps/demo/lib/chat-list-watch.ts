// Hears when the list of conversations has changed. A browser has six connections to an origin over HTTP/1.1, so of all
// its tabs one follows the stream of changes and tells the others.

import { openStream } from "tailrace/client";

/** The lock of the tab that follows, and the channel on which it tells. */
const NAME = "tailrace-chats";

/** Calls `onChange` for each change until the function it gives is called. Without locks: when the reader comes back. */
export function watchChatList(url: string, onChange: () => void): () => void {
  const life = new AbortController();
  const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(NAME) : undefined;
  channel?.addEventListener("message", onChange);
  // A hidden tab leaves the following to one that is seen.
  let turn: AbortController | undefined;
  const onVisibility = (): void => {
    turn?.abort();
    turn = undefined;
    if (document.visibilityState === "hidden") return;
    turn = new AbortController();
    void follow(url, turn.signal, () => {
      onChange();
      channel?.postMessage("changed");
    });
  };
  const { signal } = life;
  document.addEventListener("visibilitychange", onVisibility, { signal });
  window.addEventListener("focus", onChange, { signal });
  onVisibility();
  return () => {
    life.abort();
    turn?.abort();
    channel?.close();
  };
}

/** Follows as soon as no other tab does. Never rejects. */
async function follow(url: string, signal: AbortSignal, onChange: () => void): Promise<void> {
  // There are none without https, but on this very machine.
  const locks = navigator.locks as LockManager | undefined;
  try {
    await locks?.request(NAME, { signal }, async () => {
      const stream = openStream(url, { signal, decode: "text" });
      for await (const batch of stream.batches()) if (batch.length > 0) onChange();
      // Ended by the server: who comes back to the page still looks.
    });
  } catch {
    // Left while waiting, or the server has no such route.
  }
}
