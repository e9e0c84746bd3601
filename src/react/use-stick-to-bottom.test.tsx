// @vitest-environment jsdom
import { act, type ReactNode, StrictMode, useLayoutEffect } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { useStickToBottom, type UseStickToBottom } from "./use-stick-to-bottom.ts";

let shown: UseStickToBottom;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function onCommit(stick: UseStickToBottom): void {
  shown = stick;
}

function View(): ReactNode {
  const { ref, isAtBottom, scrollToBottom } = useStickToBottom();
  useLayoutEffect(() => onCommit({ ref, isAtBottom, scrollToBottom }));
  return (
    <section ref={ref}>
      <p>text</p>
    </section>
  );
}

describe("useStickToBottom", () => {
  test("useStickToBottom() tells when the reader leaves, comes back on demand, and releases all it observes", async () => {
    let observing = 0;
    vi.stubGlobal(
      "ResizeObserver",
      class {
        #on = false;
        observe(): void {
          if (!this.#on) observing += 1;
          this.#on = true;
        }
        disconnect(): void {
          observing -= 1;
        }
      },
    );
    const host = document.body.appendChild(document.createElement("div"));
    const root = createRoot(host);
    await act(async () =>
      root.render(
        <StrictMode>
          <View />
        </StrictMode>,
      ),
    );
    const container = host.querySelector("section") as HTMLElement;
    container.scrollTo = vi.fn<() => void>();
    container.scrollTop = 50;
    expect([shown.isAtBottom, observing]).toEqual([true, 1]);
    await act(async () => void container.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 })));
    expect(shown.isAtBottom).toBe(false);
    await act(async () => shown.scrollToBottom());
    expect(shown.isAtBottom).toBe(true);
    await act(async () => root.unmount());
    expect(observing).toBe(0);
  });
});
