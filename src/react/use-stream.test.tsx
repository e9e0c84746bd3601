// @vitest-environment jsdom
import { act, type ReactNode, StrictMode, useLayoutEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type HandBody, handBody, scriptedFetch, sseResponse } from "../client/scripted-fetch.test-support.ts";
import { useStream, type UseStream, type UseStreamOptions } from "./use-stream.ts";

const END = 'event: end\ndata: {"reason":"completed"}\n\n';
const bodies: HandBody[] = [];
const frames: (() => void)[] = [];
let root: Root;
let shown: UseStream<number> | undefined;
let renders = 0;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
  root = createRoot(document.body.appendChild(document.createElement("div")));
  renders = 0;
});

afterEach(async () => {
  await act(async () => root.unmount());
  bodies.length = 0;
  frames.length = 0;
  vi.unstubAllGlobals();
});

const { fetch, calls } = scriptedFetch(() => {
  const body = handBody();
  bodies.push(body);
  return sseResponse(body.stream);
});

function onCommit(stream: UseStream<number>): void {
  shown = stream;
  renders += 1;
}

function View({ url, ...options }: { readonly url: string | null } & UseStreamOptions<number>): ReactNode {
  const stream = useStream<number>(url, { fetch, ...options });
  useLayoutEffect(() => onCommit(stream));
  return <p className={stream.status}>{stream.items.join(",")}</p>;
}

const settle = async (): Promise<void> => act(async () => new Promise((resolve) => setTimeout(resolve, 0)));
const frame = async (): Promise<void> => act(async () => frames.splice(0).forEach((run) => run()));
const open = (): number => bodies.filter((body) => !body.cancelled).length;

describe("useStream", () => {
  test("useStream() shows items once per frame, and the end at once", async () => {
    await act(async () => root.render(<View url="/s" />));
    await settle();
    expect(shown?.status).toBe("open");
    renders = 0;
    for (let index = 0; index < 100; index += 1) bodies[0]?.write(`id: ${index}\ndata: ${index}\n\n`);
    await settle();
    expect(renders).toBe(0);
    await frame();
    expect([renders, shown?.items.length]).toEqual([1, 100]);
    bodies[0]?.write(`id: 100\ndata: 100\n\n${END}`);
    await settle();
    expect([renders, shown?.items.length, shown?.status, shown?.end?.reason]).toEqual([2, 101, "done", "completed"]);
  });

  test("useStream() in StrictMode opens one connection, and leaves none behind", async () => {
    calls.length = 0;
    await act(async () =>
      root.render(
        <StrictMode>
          <View url="/s" />
        </StrictMode>,
      ),
    );
    await settle();
    expect([calls.length, open()]).toEqual([1, 1]);
    await act(async () => root.unmount());
    await settle();
    expect(open()).toBe(0);
  });

  test("useStream() follows a new address, keeps none of the old items, and is idle without one", async () => {
    await act(async () => root.render(<View url="/a" />));
    await settle();
    bodies[0]?.write("data: 1\n\n");
    await settle();
    await frame();
    expect(shown?.items).toEqual([1]);
    await act(async () => root.render(<View url="/b" />));
    await settle();
    expect([shown?.items, shown?.status, open()]).toEqual([[], "open", 1]);
    await act(async () => root.render(<View url={null} />));
    await settle();
    expect([shown?.status, open()]).toEqual(["idle", 0]);
  });

  test("useStream() keeps its connection over new options, and asks for the new headers next time", async () => {
    calls.length = 0;
    const options = { minDelayMs: 1, maxDelayMs: 1 };
    await act(async () => root.render(<View url="/s" headers={{ token: "1" }} {...options} />));
    await settle();
    await act(async () => root.render(<View url="/s" headers={{ token: "2" }} {...options} />));
    await settle();
    expect(calls.length).toBe(1);
    bodies[0]?.cut();
    await act(async () => vi.waitFor(() => expect(calls.length).toBe(2)));
    expect(calls.map((call) => call.headers.get("token"))).toEqual(["1", "2"]);
    await settle();
  });

  test("useStream() gives stable functions: close() leaves, stop() sends DELETE", async () => {
    await act(async () => root.render(<View url="/s" />));
    await settle();
    const before = shown;
    await act(async () => void (await shown?.stop()));
    expect(calls.at(-1)?.method).toBe("DELETE");
    await act(async () => shown?.close());
    expect([shown?.status, open()]).toEqual(["done", 0]);
    expect(shown?.close).toBe(before?.close);
  });

  test("useStream() renders on a server without a connection", () => {
    calls.length = 0;
    expect(renderToString(<View url="/s" />)).toBe('<p class="connecting"></p>');
    expect(calls.length).toBe(0);
  });
});
