// @vitest-environment jsdom
import { act, type ReactNode, StrictMode, useLayoutEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type HandBody, handBody, scriptedFetch, sseResponse } from "../client/scripted-fetch.test-support.ts";
import { useJob, type UseJob, type UseJobOptions } from "./use-job.ts";

const bodies: HandBody[] = [];
const frames: (() => void)[] = [];
let root: Root;
let shown: UseJob | undefined;
let renders = 0;

const { fetch, calls } = scriptedFetch((call) => {
  if (call.method === "POST") return Response.json({ id: call.url.endsWith("/retry") ? "j2" : "j1" }, { status: 202 });
  if (call.method === "DELETE") return Response.json({ state: "stopping" });
  const body = handBody();
  bodies.push(body);
  return sseResponse(body.stream);
});
const event = (name: string, data: object, id: number): string =>
  `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
const QUEUED = event("state", { state: "queued", kind: "hash", position: 2, atMs: 1 }, 1);
const RUNNING = event("state", { state: "running", atMs: 2 }, 2);
const progress = (percent: number): string =>
  event("progress", { done: percent, total: 100, fraction: percent / 100, percent, ratePerSecond: 1, atMs: 3 }, 3);

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => frames.push(run));
  vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
  root = createRoot(document.body.appendChild(document.createElement("div")));
  renders = 0;
});

afterEach(async () => {
  await act(async () => root.unmount());
  document.body.replaceChildren();
  bodies.length = 0;
  calls.length = 0;
  frames.length = 0;
  vi.unstubAllGlobals();
});

function onCommit(job: UseJob): void {
  shown = job;
  renders += 1;
}

function View(options: UseJobOptions): ReactNode {
  const job = useJob({ fetch, ...options });
  useLayoutEffect(() => onCommit(job));
  return <p>{`${job.status} ${job.job?.progress?.percent ?? ""}`}</p>;
}

const settle = async (): Promise<void> => act(async () => new Promise((resolve) => setTimeout(resolve, 0)));
const frame = async (): Promise<void> => act(async () => frames.splice(0).forEach((run) => run()));
const text = (): string => document.querySelector("p")?.textContent?.trim() ?? "";
const sent = (): string[] => calls.map(({ method, url }) => `${method} ${url}`);
const open = (): number => bodies.filter((body) => !body.cancelled).length;

async function render(node: ReactNode): Promise<void> {
  await act(async () => root.render(node));
  await settle();
}

describe("useJob", () => {
  test("useJob() starts a job, and renders at most once per frame while it reports", async () => {
    await render(<View />);
    expect([text(), sent()]).toEqual(["idle", []]);
    let id: string | null | undefined;
    await act(async () => void (id = await shown?.start("hash", { path: "docs" })));
    await settle();
    expect(id).toBe("j1");
    expect(JSON.parse(calls[0]?.body as string)).toEqual({ path: "docs", kind: "hash" });
    expect(sent()).toEqual(["POST /api/jobs", "GET /api/jobs/j1"]);
    await act(async () => bodies[0]?.write(QUEUED));
    await frame();
    expect([text(), shown?.job?.position]).toEqual(["queued", 2]);
    await act(async () => bodies[0]?.write(RUNNING));
    await frame();
    renders = 0;
    for (let percent = 1; percent <= 50; percent += 1) await act(async () => bodies[0]?.write(progress(percent)));
    await settle();
    expect(renders).toBe(0);
    await frame();
    expect([renders, text(), shown?.announcement]).toEqual([1, "running 50", "The job is running"]);
  });

  test("useJob() in StrictMode follows the job of its id once, and leaves it when it is unmounted", async () => {
    await render(
      <StrictMode>
        <View id="j1" />
      </StrictMode>,
    );
    expect([sent(), open()]).toEqual([["GET /api/jobs/j1"], 1]);
    await act(async () => root.unmount());
    await settle();
    expect([open(), sent()]).toEqual([0, ["GET /api/jobs/j1"]]);
  });

  test("useJob() follows another job when its id changes, and none when it is null", async () => {
    await render(<View id="a" />);
    await render(<View id="b" />);
    expect([sent(), open(), shown?.id]).toEqual([["GET /api/jobs/a", "GET /api/jobs/b"], 1, "b"]);
    await render(<View id={null} />);
    expect([open(), text(), shown?.id]).toEqual([0, "idle", null]);
    await render(<View api="/other" id="c" />);
    expect([sent().at(-1), open()]).toEqual(["GET /other/c", 1]);
  });

  test("useJob() with an id that the page learns from its start keeps one connection", async () => {
    await render(<View id={null} />);
    await act(async () => void (await shown?.start("hash")));
    await settle();
    await render(<View id="j1" />);
    expect([sent(), open()]).toEqual([["POST /api/jobs", "GET /api/jobs/j1"], 1]);
  });

  test("cancel() and retry() of useJob() reach the server; the actions stay the same over renders", async () => {
    await render(<View id="j1" />);
    const { cancel, retry, start, follow } = shown!;
    await act(async () => bodies[0]?.write(QUEUED + RUNNING));
    await act(async () => void (await shown?.cancel()));
    expect(shown?.cancelling).toBe(true);
    await act(async () => bodies[0]?.write('event: end\ndata: {"reason":"stopped"}\n\n'));
    await settle();
    expect([text(), shown?.cancelling]).toEqual(["stopped", false]);
    await act(async () => void (await shown?.retry()));
    await settle();
    expect([shown?.id, sent().slice(1)]).toEqual([
      "j2",
      ["DELETE /api/jobs/j1", "POST /api/jobs/j1/retry", "GET /api/jobs/j2"],
    ]);
    expect([shown?.cancel, shown?.retry, shown?.start, shown?.follow]).toEqual([cancel, retry, start, follow]);
  });

  test("useJob() renders on a server without a request", () => {
    expect(renderToString(<View id="j1" />)).toContain("loading");
    expect(sent()).toEqual([]);
  });
});
