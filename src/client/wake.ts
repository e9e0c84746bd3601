// What the page tells about the network and itself: online, shown, hidden, back out of the cache.

/** What a connection wants to hear. */
export interface WakeHandlers {
  /** A new attempt may work now. */
  onWake(): void;
  /** Whatever is open is dead, though nothing says so. */
  onStale(): void;
  onHidden(): void;
  onShown(): void;
}

/** The part of `document` that is used. */
type Page = Pick<Document, "visibilityState" | "addEventListener" | "removeEventListener">;

/**
 * Listens until the returned function is called. In Node there is nothing to listen to, in a worker only `online`.
 *
 * `pageshow` with `persisted`: a page that comes out of the back/forward cache has had its connections cut without an
 * error event, so the body would stay silent for ever.
 */
export function listenForWake(handlers: WakeHandlers): () => void {
  const scope = globalThis as Partial<Pick<Window, "addEventListener" | "removeEventListener">>;
  const page = (globalThis as { readonly document?: Page }).document;
  const onOnline = (): void => handlers.onWake();
  const onPageShow = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) handlers.onStale();
  };
  const onVisibility = (): void => {
    if (page?.visibilityState === "hidden") return handlers.onHidden();
    handlers.onShown();
    handlers.onWake();
  };
  if (typeof scope.addEventListener === "function") {
    scope.addEventListener("online", onOnline);
    scope.addEventListener("pageshow", onPageShow);
  }
  page?.addEventListener("visibilitychange", onVisibility);
  return () => {
    if (typeof scope.removeEventListener === "function") {
      scope.removeEventListener("online", onOnline);
      scope.removeEventListener("pageshow", onPageShow);
    }
    page?.removeEventListener("visibilitychange", onVisibility);
  };
}

/** Whether there is a page and it is hidden. */
export function isPageHidden(): boolean {
  return (globalThis as { readonly document?: Page }).document?.visibilityState === "hidden";
}

/** Calls `onReturn` when the reader comes back to the page: focus, shown, online, out of the cache. Returns the removal. */
export function listenForReturn(onReturn: () => void): () => void {
  const nothing = (): void => undefined;
  const release = listenForWake({ onWake: onReturn, onStale: onReturn, onHidden: nothing, onShown: nothing });
  const scope = globalThis as Partial<Pick<Window, "addEventListener" | "removeEventListener">>;
  const onFocus = (): void => onReturn();
  scope.addEventListener?.("focus", onFocus);
  return () => {
    release();
    scope.removeEventListener?.("focus", onFocus);
  };
}
