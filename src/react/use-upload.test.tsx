// @vitest-environment jsdom
import { act, type ReactNode, StrictMode, useLayoutEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { scriptedFetch } from "../client/scripted-fetch.test-support.ts";
import { FakeXhr } from "../client/transfer-xhr.test-support.ts";
import { createUploadQueue } from "../client/upload-queue.ts";
import { useUpload, type UseUpload, type UseUploadOptions } from "./use-upload.ts";

const RAW = { protocol: "raw", store: null, minDelayMs: 0, maxDelayMs: 0 } as const;
const frames: (() => void)[] = [];
let root: Root;
let shown: UseUpload | undefined;
let renders = 0;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
  vi.stubGlobal("XMLHttpRequest", FakeXhr);
  FakeXhr.all.length = 0;
  root = createRoot(document.body.appendChild(document.createElement("div")));
  shown = undefined;
});

afterEach(async () => {
  await act(async () => root.unmount());
  frames.length = 0;
  vi.unstubAllGlobals();
});

function onCommit(uploads: UseUpload): void {
  shown = uploads;
  renders += 1;
}

function View({ url = "/up", ...options }: UseUploadOptions & { readonly url?: string }): ReactNode {
  const uploads = useUpload(url, { ...RAW, ...options });
  useLayoutEffect(() => onCommit(uploads));
  return <p>{uploads.uploads.map(({ name, status }) => `${name} ${status}`).join(", ")}</p>;
}

const settle = async (): Promise<void> => act(async () => new Promise((resolve) => setTimeout(resolve, 0)));
const frame = async (): Promise<void> => act(async () => frames.splice(0).forEach((run) => run()));
const add = (...names: string[]): Promise<void> =>
  act(async () => shown?.add(names.map((name) => new File(["0123456789"], name))));
const text = (): string => document.querySelector("p")?.textContent ?? "";
const body = JSON.stringify({ id: "i", bytes: 10 });

async function render(node: ReactNode): Promise<void> {
  document.body.replaceChildren();
  const place = document.createElement("div");
  document.body.append(place);
  await act(async () => root.unmount());
  root = createRoot(place);
  await act(async () => root.render(node));
  await settle();
}

describe("useUpload", () => {
  test("useUpload() renders at most once per frame, however often bytes leave", async () => {
    await render(<View />);
    await add("a");
    await settle();
    await frame();
    expect(shown?.announcement).toBe("Uploading a");
    renders = 0;
    for (let bytes = 1; bytes <= 9; bytes += 1) await act(async () => FakeXhr.all[0]?.sent(bytes));
    expect(renders).toBe(0);
    await frame();
    expect([renders, shown?.uploads[0]?.bytesSent, shown?.totals.bytesSent]).toEqual([1, 9, 9]);
    await act(async () => FakeXhr.all[0]?.answer(201, {}, body));
    await settle();
    await frame();
    expect([text(), shown?.announcement]).toEqual(["a done", "a uploaded, 1 of 1"]);
  });

  test("useUpload() in StrictMode sends each file once", async () => {
    await render(
      <StrictMode>
        <View />
      </StrictMode>,
    );
    await add("a", "b");
    await settle();
    expect([FakeXhr.all.length, shown?.announcement]).toEqual([2, "Uploading 2 files"]);
  });

  test("useUpload() runs as many as concurrency says, and pauses, resumes and removes by id", async () => {
    await render(<View concurrency={1} />);
    await add("a", "b");
    await settle();
    await frame();
    expect(text()).toBe("a sending, b queued");
    const [a, b] = shown?.uploads.map(({ id }) => id) ?? [];
    await act(async () => shown?.pause(a ?? ""));
    await settle();
    await frame();
    expect([text(), shown?.announcement]).toEqual(["a paused, b sending", "a paused"]);
    await act(async () => shown?.remove(b ?? ""));
    await act(async () => shown?.resume(a ?? ""));
    await settle();
    await frame();
    expect(text()).toBe("a sending");
    expect(FakeXhr.all.map(({ isAborted }) => isAborted)).toEqual([true, true, false]);
  });

  test("resume() begins a failed upload again, in its place", async () => {
    await render(<View />);
    await add("a", "b");
    await settle();
    await act(async () => FakeXhr.all[0]?.answer(413));
    await settle();
    await frame();
    expect(text()).toBe("a failed, b sending");
    expect(shown?.announcement).toMatch(/^a failed: The server answered 413/);
    await act(async () => shown?.resume(shown?.uploads[0]?.id ?? ""));
    await settle();
    await frame();
    expect([text(), FakeXhr.all.length]).toEqual(["a sending, b sending", 3]);
  });

  test("leaving lets uploads go on by default, and aborts them with onUnmount", async () => {
    await render(<View />);
    await add("a");
    await settle();
    await act(async () => root.unmount());
    expect(FakeXhr.all[0]?.isAborted).toBe(false);
    await render(<View onUnmount="abort" />);
    await add("b");
    await settle();
    await act(async () => root.unmount());
    expect(FakeXhr.all.map(({ isAborted }) => isAborted)).toEqual([false, true]);
  });

  test("a queue of one's own shows its uploads on every page", async () => {
    const queue = createUploadQueue();
    await render(<View queue={queue} />);
    await add("a");
    await settle();
    await render(<View queue={queue} url="/other" />);
    await frame();
    expect(text()).toBe("a sending");
  });

  test("useUpload() keeps its list over new options, makes another for another address, and stable functions", async () => {
    const { fetch, calls } = scriptedFetch(() => new Promise<Response>(() => undefined));
    await render(<View fetch={fetch} headers={{ token: "1" }} />);
    const first = shown;
    await act(async () => root.render(<View fetch={fetch} headers={{ token: "2" }} />));
    expect(shown?.add).toBe(first?.add);
    await add("a");
    await settle();
    expect(calls[0]?.headers.get("token")).toBe("2");
    await act(async () => root.render(<View fetch={fetch} url="/other" />));
    expect(shown?.uploads).toEqual([]);
  });

  test("useUpload() renders on a server", () => {
    expect(renderToString(<View />)).toBe("<p></p>");
  });
});
