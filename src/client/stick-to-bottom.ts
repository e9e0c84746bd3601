// Keeps a scroll container at its bottom while its content grows, and lets go as soon as the reader wants to read.

/** Options of {@link stickToBottom}. */
export interface StickOptions {
  /** How near to the bottom a reader who scrolls down has to come to be taken along again. @default 32 */
  readonly nearPx?: number | undefined;
  /** Called when the container sticks or lets go. */
  readonly onChange?: ((isAtBottom: boolean) => void) | undefined;
}

/** A container that is being kept at its bottom. */
export interface Stick {
  readonly isAtBottom: boolean;
  /** Goes to the bottom and sticks there: smoothly, unless the reader prefers reduced motion. */
  scrollToBottom(): void;
  /** Takes every listener and observer away. */
  release(): void;
}

const KEYS_UP: readonly string[] = ["ArrowUp", "PageUp", "Home"];

function prefersReducedMotion(): boolean {
  return typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Whether something inside the container, a code block say, takes an upward scroll for itself. */
function isTakenInside(target: EventTarget | null, container: Element): boolean {
  for (let at = target instanceof Element ? target : null; at !== null && at !== container; at = at.parentElement) {
    if (at.scrollTop > 0 && /auto|scroll/.test(getComputedStyle(at).overflowY)) return true;
  }
  return false;
}

/**
 * Sticks to the bottom of `container`. The wheel, a finger, a key or the scroll bar that moves up lets go at once, before
 * the next growth could pull the text away; scrolling down to the bottom, or `scrollToBottom()`, sticks again.
 */
export function stickToBottom(container: HTMLElement, options: StickOptions = {}): Stick {
  const { nearPx = 32, onChange } = options;
  const released = new AbortController();
  let stuck = true;
  let lastTop = container.scrollTop;
  let lastHeight = container.scrollHeight;
  let touchY: number | undefined;

  const set = (value: boolean): void => {
    if (stuck === value) return;
    stuck = value;
    onChange?.(value);
  };
  const distance = (): number => container.scrollHeight - container.clientHeight - container.scrollTop;
  const pin = (): void => {
    if (stuck && distance() > 0) container.scrollTop = container.scrollHeight;
    lastTop = container.scrollTop;
    lastHeight = container.scrollHeight;
  };
  const letGo = (event: Event): void => {
    if (container.scrollTop > 0 && !isTakenInside(event.target, container)) set(false);
  };
  const onScroll = (): void => {
    const top = container.scrollTop;
    // Content that shrinks moves the position up as well; only the reader does so while it keeps its height.
    if (top < lastTop - 1 && container.scrollHeight >= lastHeight) set(false);
    else if (distance() <= 1 || (top > lastTop && distance() <= nearPx)) set(true);
    lastTop = top;
    lastHeight = container.scrollHeight;
  };

  const listen = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ): void => container.addEventListener(type, listener, { passive: true, signal: released.signal });
  listen("scroll", onScroll);
  listen("wheel", (event) => {
    if (event.deltaY < 0) letGo(event);
  });
  listen("keydown", (event) => {
    if (KEYS_UP.includes(event.key) || (event.key === " " && event.shiftKey)) letGo(event);
  });
  listen("touchstart", (event) => {
    touchY = event.touches[0]?.clientY;
  });
  listen("touchmove", (event) => {
    const y = event.touches[0]?.clientY;
    // A finger that moves down pulls the text down, that is, scrolls up.
    if (y !== undefined && touchY !== undefined && y > touchY) letGo(event);
    touchY = y;
  });

  const sizes = typeof ResizeObserver === "function" ? new ResizeObserver(pin) : undefined;
  const observeSizes = (): void => {
    // Observing an element twice counts once; one that has left the page is no longer reported.
    sizes?.observe(container);
    for (const child of container.children) sizes?.observe(child);
  };
  const changes = new MutationObserver(() => {
    observeSizes();
    pin();
  });
  changes.observe(container, { childList: true, subtree: true, characterData: true });
  observeSizes();
  pin();

  return {
    get isAtBottom() {
      return stuck;
    },
    scrollToBottom() {
      set(true);
      container.scrollTo({ top: container.scrollHeight, behavior: prefersReducedMotion() ? "instant" : "smooth" });
    },
    release() {
      released.abort();
      sizes?.disconnect();
      changes.disconnect();
    },
  };
}
