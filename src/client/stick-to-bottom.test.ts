// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Stick, stickToBottom } from "./stick-to-bottom.ts";

let container: HTMLElement;
let content: HTMLElement;
let height: number;
let scrolled: unknown;
let stick: Stick | undefined;

/** jsdom has no layout: the heights are told, and the position is clamped as a browser does. */
beforeEach(() => {
  height = 1000;
  container = document.createElement("div");
  content = container.appendChild(document.createElement("p"));
  document.body.append(container);
  let top = 0;
  Object.defineProperties(container, {
    clientHeight: { get: () => 200 },
    scrollHeight: { get: () => height },
    scrollTop: {
      get: () => Math.min(top, Math.max(0, height - 200)),
      set(value: number) {
        top = Math.max(0, Math.min(value, height - 200));
      },
    },
  });
  scrolled = undefined;
  container.scrollTo = (options?: ScrollToOptions | number) => {
    scrolled = options;
  };
});

afterEach(() => {
  stick?.release();
  container.remove();
  vi.unstubAllGlobals();
});

const grow = async (by: number): Promise<void> => {
  height += by;
  content.append("more");
  await Promise.resolve();
};
const scrollTo = (top: number): void => {
  container.scrollTop = top;
  container.dispatchEvent(new Event("scroll"));
};

describe("stickToBottom", () => {
  test("stickToBottom() follows content that grows", async () => {
    stick = stickToBottom(container);
    expect(container.scrollTop).toBe(800);
    await grow(500);
    expect([container.scrollTop, stick.isAtBottom]).toEqual([1300, true]);
  });

  test.each([
    ["the wheel", () => new WheelEvent("wheel", { deltaY: -5, bubbles: true })],
    ["a key", () => new KeyboardEvent("keydown", { key: "PageUp", bubbles: true })],
    ["shift and space", () => new KeyboardEvent("keydown", { key: " ", shiftKey: true, bubbles: true })],
  ])("stickToBottom() lets go at once for %s", async (_, event) => {
    const changes: boolean[] = [];
    stick = stickToBottom(container, { onChange: (value) => changes.push(value) });
    content.dispatchEvent(event());
    expect(stick.isAtBottom).toBe(false);
    await grow(500);
    expect([container.scrollTop, changes]).toEqual([800, [false]]);
  });

  test("stickToBottom() lets go for a finger that moves down, not for one that moves up", () => {
    stick = stickToBottom(container);
    const touch = (type: string, clientY: number): void =>
      void container.dispatchEvent(Object.assign(new Event(type), { touches: [{ clientY }] }));
    touch("touchstart", 100);
    touch("touchmove", 90);
    expect(stick.isAtBottom).toBe(true);
    touch("touchmove", 95);
    expect(stick.isAtBottom).toBe(false);
  });

  test("stickToBottom() lets go for the scroll bar, and sticks again near the bottom", async () => {
    stick = stickToBottom(container, { nearPx: 32 });
    scrollTo(500);
    expect(stick.isAtBottom).toBe(false);
    scrollTo(767);
    expect(stick.isAtBottom).toBe(false);
    scrollTo(768);
    expect(stick.isAtBottom).toBe(true);
    await grow(100);
    expect(container.scrollTop).toBe(900);
  });

  test("stickToBottom() does not take content that shrinks for a reader who scrolls", () => {
    stick = stickToBottom(container);
    height = 600;
    container.dispatchEvent(new Event("scroll"));
    expect(stick.isAtBottom).toBe(true);
  });

  test("stickToBottom() leaves an upward wheel to a box inside that can scroll", () => {
    content.style.overflowY = "auto";
    content.scrollTop = 10;
    stick = stickToBottom(container);
    content.dispatchEvent(new WheelEvent("wheel", { deltaY: -5, bubbles: true }));
    expect(stick.isAtBottom).toBe(true);
  });

  test.each([
    [false, "smooth"],
    [true, "instant"],
  ])("scrollToBottom() respects reduced motion: %s", (matches, behavior) => {
    vi.stubGlobal("matchMedia", () => ({ matches }));
    stick = stickToBottom(container);
    scrollTo(100);
    stick.scrollToBottom();
    expect(stick.isAtBottom).toBe(true);
    expect(scrolled).toEqual({ top: 1000, behavior });
  });

  test("release() takes listeners and observers away", async () => {
    const disconnect = vi.fn<() => void>();
    vi.stubGlobal(
      "ResizeObserver",
      class {
        observe(): void {}
        disconnect = disconnect;
      },
    );
    stick = stickToBottom(container);
    stick.release();
    scrollTo(100);
    await grow(500);
    expect([stick.isAtBottom, container.scrollTop]).toEqual([true, 100]);
    expect(disconnect).toHaveBeenCalledTimes(1);
  });
});
