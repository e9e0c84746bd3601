// @vitest-environment jsdom
import { act, type ReactNode, StrictMode, useLayoutEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type HandBody, handBody, scriptedFetch } from "../client/scripted-fetch.test-support.ts";
import { useDownload, type UseDownload, type UseDownloadOptions } from "./use-download.ts";

const NOW = { minDelayMs: 0, maxDelayMs: 0 } as const;
const frames: (() => void)[] = [];
const bodies: HandBody[] = [];
let root: Root;
let shown: UseDownload | undefined;
let renders = 0;

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
  root = createRoot(document.body.appendChild(document.createElement("div")));
  shown = undefined;
  calls.length = 0;
});

afterEach(async () => {
  await act(async () => root.unmount());
  bodies.length = 0;
  frames.length = 0;
  vi.unstubAllGlobals();
});

/** A file of 10 bytes, from where it is asked for. */
const { fetch, calls } = scriptedFetch(({ headers }) => {
  const start = Number(/^bytes=(\d+)-$/.exec(headers.get("range") ?? "")?.[1]);
  const body = handBody();
  bodies.push(body);
  return new Response(body.stream, {
    status: 206,
    headers: { "content-range": `bytes ${start}-9/10`, etag: '"a"', "content-type": "text/plain" },
  });
});

function onCommit(download: UseDownload): void {
  shown = download;
  renders += 1;
}

function View({ url = "/files/a.txt", ...options }: UseDownloadOptions & { readonly url?: string }): ReactNode {
  const download = useDownload(url, { fetch, ...NOW, ...options });
  useLayoutEffect(() => onCommit(download));
  return <p>{download.status}</p>;
}

const settle = async (): Promise<void> => act(async () => new Promise((resolve) => setTimeout(resolve, 0)));
const frame = async (): Promise<void> => act(async () => frames.splice(0).forEach((run) => run()));

async function begin(node: ReactNode): Promise<void> {
  await act(async () => root.render(node));
  await settle();
  await act(async () => shown?.start());
  await settle();
  await frame();
}

async function write(text: string, index: number = bodies.length - 1): Promise<void> {
  await act(async () => bodies[index]?.write(text));
  await settle();
}

describe("useDownload", () => {
  test("useDownload() begins on start(), renders once per frame, and gives the file", async () => {
    await act(async () => root.render(<View />));
    await settle();
    expect([shown?.status, calls.length]).toEqual(["idle", 0]);
    await begin(<View />);
    expect(shown).toMatchObject({ status: "receiving", totalBytes: 10, announcement: "Download started" });
    renders = 0;
    for (const digit of "012345678") await write(digit);
    expect(renders).toBe(0);
    await frame();
    expect([renders, shown?.bytes]).toEqual([1, 9]);
    await write("9");
    await act(async () => bodies[0]?.close());
    await settle();
    expect(shown).toMatchObject({ status: "done", name: "a.txt", announcement: "Download finished", error: null });
    expect(await shown?.blob?.text()).toBe("0123456789");
    expect(calls.length).toBe(1);
  });

  test("pause() and resume() ask for the rest, and start() does nothing meanwhile", async () => {
    await begin(<View />);
    await write("0123");
    await act(async () => shown?.pause());
    expect(shown).toMatchObject({ status: "paused", bytes: 4, announcement: "Download paused" });
    expect(bodies[0]?.cancelled).toBe(true);
    await act(async () => shown?.start());
    await act(async () => shown?.resume());
    await settle();
    expect(calls.map(({ headers }) => [headers.get("range"), headers.get("if-range")])).toEqual([
      ["bytes=0-", null],
      ["bytes=4-", '"a"'],
    ]);
    await write("456789");
    await act(async () => bodies[1]?.close());
    await settle();
    expect(await shown?.blob?.text()).toBe("0123456789");
  });

  test("cancel() goes back to idle, and start() begins from the first byte", async () => {
    await begin(<View />);
    await write("0123");
    await act(async () => shown?.cancel());
    expect(shown).toMatchObject({ status: "idle", bytes: 0, error: null, announcement: "" });
    expect(bodies[0]?.cancelled).toBe(true);
    await begin(<View />);
    expect(calls.at(-1)?.headers.get("range")).toBe("bytes=0-");
  });

  test("a failure is shown with its reason, and start() tries again", async () => {
    const answers = [new Response(null, { status: 404 })];
    const own = scriptedFetch(() => answers.shift() ?? new Response("late"));
    await begin(<View fetch={own.fetch} />);
    expect(shown?.status).toBe("failed");
    expect(shown?.announcement).toBe("Download failed: The server answered 404.");
    await act(async () => shown?.start());
    await settle();
    expect(await shown?.blob?.text()).toBe("late");
  });

  test("useDownload() in StrictMode is one download, and leaving aborts it", async () => {
    await begin(
      <StrictMode>
        <View />
      </StrictMode>,
    );
    expect(calls.length).toBe(1);
    await act(async () => root.unmount());
    await settle();
    expect(bodies[0]?.cancelled).toBe(true);
  });

  test("leaving lets a download go on with onUnmount", async () => {
    await begin(<View onUnmount="continue" />);
    await act(async () => root.unmount());
    await settle();
    expect(bodies[0]?.cancelled).toBe(false);
  });

  test("another address is another download, and the functions are stable", async () => {
    await begin(<View />);
    const before = shown?.start;
    await act(async () => root.render(<View headers={{ a: "1" }} />));
    expect(shown?.start).toBe(before);
    await act(async () => root.render(<View url="/files/b.txt" />));
    await settle();
    expect([shown?.status, bodies[0]?.cancelled]).toEqual(["idle", true]);
  });

  test("useDownload() renders on a server", () => {
    expect(renderToString(<View />)).toBe("<p>idle</p>");
  });
});
