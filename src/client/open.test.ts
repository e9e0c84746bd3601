import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { isTailraceError } from "../errors.ts";
import { openStream } from "./open.ts";
import type { OpenOptions, StreamConnection, StreamItem } from "./stream-types.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, attempt: number) => void;
const servers: Server[] = [];

/** A server on a free port; `handler` gets the number of the request, from 1. */
async function serve(handler: Handler): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    handler(request, response, requests.length);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const FAST: OpenOptions<never> = { minDelayMs: 1, maxDelayMs: 5 };
const sse = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { "content-type": "Text/Event-Stream;charset=utf-8" });
const END = 'event: end\nid: z~\ndata: {"reason":"completed"}\n\n';

async function all<T>(stream: StreamConnection<T>): Promise<StreamItem<T>[]> {
  const items: StreamItem<T>[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe("openStream", () => {
  test("openStream() reads items until the end marker, and says why it ended", async () => {
    const { url } = await serve((_, response) =>
      sse(response).end(`retry: 1000\nid: a\n\nid: b\ndata: {"n":1}\n\nevent: note\ndata: plain\n\n${END}`),
    );
    const stream = openStream(url);
    expect(stream.state.status).toBe("connecting");
    expect(await all(stream)).toEqual([
      { event: "message", data: { n: 1 }, id: "b" },
      { event: "note", data: "plain", id: "b" },
    ]);
    expect(stream.state).toMatchObject({
      status: "done",
      end: { reason: "completed" },
      lastEventId: "z~",
      error: null,
    });
  });

  test("openStream() comes back with Last-Event-ID after a clean close without an end", async () => {
    const { url, requests } = await serve((_, response, attempt) =>
      sse(response).end(attempt === 1 ? "id: 1\ndata: 1\n\n" : `id: 2\ndata: 2\n\n${END}`),
    );
    expect((await all(openStream(url, FAST))).map((item) => item.data)).toEqual([1, 2]);
    expect(requests.map((request) => request.headers["last-event-id"])).toEqual([undefined, "1"]);
  });

  test("openStream() resumes after the cursor of a block without data", async () => {
    const { url, requests } = await serve((_, response, attempt) =>
      sse(response).end(attempt === 1 ? "id: start\n\n" : END),
    );
    await all(openStream(url, FAST));
    expect(requests[1]?.headers["last-event-id"]).toBe("start");
  });

  test("openStream() sends ids above U+00FF as UTF-8", async () => {
    const id = "naïve…日本😀";
    const { url, requests } = await serve((_, response, attempt) =>
      sse(response).end(attempt === 1 ? `id: ${id}\ndata: 1\n\n` : END),
    );
    await all(openStream(url, FAST));
    const sent = requests[1]?.headers["last-event-id"];
    expect(Buffer.from(String(sent), "latin1").toString("utf8")).toBe(id);
  });

  test("openStream() fails, and does not stall, after an id that no header can carry", async () => {
    const { url, requests } = await serve((_, response) => sse(response).end("id: a\u0001b\ndata: 1\n\n"));
    const stream = openStream(url, FAST);
    await expect(all(stream)).rejects.toMatchObject({ code: "cursor_invalid" });
    expect(requests.length).toBe(1);
  });

  test("openStream() refuses a start cursor that no header can carry", () => {
    expect(() => openStream("http://127.0.0.1:9/", { lastEventId: "a\nb" })).toThrow(/control character 0x0a/);
  });

  test("openStream() ends without an item on 204", async () => {
    const { url, requests } = await serve((_, response) => response.writeHead(204).end());
    const stream = openStream(url);
    expect(await all(stream)).toEqual([]);
    expect(stream.state).toMatchObject({ status: "done", end: null });
    expect(requests.length).toBe(1);
  });

  test.each([408, 425, 429, 500, 502, 504])("openStream() tries again after %i", async (status) => {
    const { url, requests } = await serve((_, response, attempt) => {
      if (attempt === 1) response.writeHead(status).end("nope");
      else sse(response).end(END);
    });
    await all(openStream(url, FAST));
    expect(requests.length).toBe(2);
  });

  test("openStream() fails on 401 at once, with the problem's code and detail", async () => {
    const problem = {
      title: "Unauthorized",
      status: 401,
      detail: "Sign in first.",
      code: "input_invalid",
      field: "token",
    };
    const { url, requests } = await serve((_, response) =>
      response.writeHead(401, { "content-type": "application/problem+json" }).end(JSON.stringify(problem)),
    );
    const stream = openStream(url, FAST);
    const error: unknown = await all(stream).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "response_refused",
      status: 401,
      message: "The server answered 401 Unauthorized: Sign in first.",
      details: { status: 401, code: "input_invalid", detail: "Sign in first.", field: "token" },
    });
    expect(stream.state.status).toBe("failed");
    expect(requests.length).toBe(1);
  });

  test("openStream() refuses a type that is no stream", async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<p>login"),
    );
    await expect(all(openStream(url, FAST))).rejects.toMatchObject({
      code: "response_refused",
      details: { contentType: "text/html" },
    });
  });

  test("openStream() gives up at maxAttempts, and not before", async () => {
    const { url, requests } = await serve((_, response) => response.writeHead(500).end());
    await expect(all(openStream(url, { ...FAST, maxAttempts: 3 }))).rejects.toMatchObject({
      code: "connection_failed",
    });
    expect(requests.length).toBe(3);
  });

  test("openStream() backs off from a 200 that closes at once, and shows the attempts", async () => {
    const { url, requests } = await serve((_, response, attempt) => sse(response).end(attempt < 4 ? ": hi\n\n" : END));
    const stream = openStream(url, FAST);
    const attempts: number[] = [];
    stream.subscribe(() => attempts.push(stream.state.attempt));
    await all(stream);
    expect(Math.max(...attempts)).toBe(3);
    expect(requests.length).toBe(4);
  });

  test("openStream() follows a redirect to a relative address", async () => {
    const { url } = await serve((request, response) => {
      if (request.url === "/") response.writeHead(307, { location: "moved" }).end();
      else sse(response).end(`data: 1\n\n${END}`);
    });
    expect(await all(openStream(url))).toHaveLength(1);
  });

  test("openStream() asks for headers anew at each attempt", async () => {
    const { url, requests } = await serve((_, response, attempt) =>
      sse(response).end(attempt === 1 ? "id: 7\n\n" : END),
    );
    const headers: OpenOptions["headers"] = async ({ attempt, lastEventId }) => ({
      "x-try": `${attempt}:${lastEventId}`,
    });
    await all(openStream(url, { ...FAST, headers }));
    expect(requests.map((request) => request.headers["x-try"])).toEqual(["0:", "1:7"]);
  });

  test("openStream() treats an error event without a reason as an item, and one with a reason as the end", async () => {
    const { url } = await serve((_, response) =>
      sse(response).end(
        'event: error\ndata: {"mine":1}\n\nevent: error\ndata: {"reason":"failed","code":"source_failed","message":"It broke."}\n\n',
      ),
    );
    const stream = openStream(url);
    const seen: unknown[] = [];
    const error: unknown = await (async () => {
      for await (const item of stream) seen.push(item.data);
    })().catch((reason: unknown) => reason);
    expect(seen).toEqual([{ mine: 1 }]);
    expect(isTailraceError(error, "source_failed")).toBe(true);
    expect(stream.state.end).toEqual({ reason: "failed", code: "source_failed", message: "It broke." });
  });

  test("openStream() fails when rows are cut, as they have no cursor", async () => {
    const { url, requests } = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/jsonl" });
      response.write("1\n", () => response.destroy());
    });
    await expect(all(openStream(url, FAST))).rejects.toMatchObject({ code: "connection_failed" });
    expect(requests.length).toBe(1);
  });

  test("openStream() throws the signal's reason when the caller aborts", async () => {
    const { url } = await serve((_, response) => void sse(response).write("data: 1\n\n"));
    const controller = new AbortController();
    const stream = openStream(url, { signal: controller.signal });
    const reason = new Error("enough");
    const read = async (): Promise<void> => {
      for await (const item of stream) if (item.data === 1) controller.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
    expect(stream.state.error?.code).toBe("aborted");
    const early = openStream(url, { signal: controller.signal });
    await expect(all(early)).rejects.toBe(reason);
  });

  test("openStream() closes the body on break, and on dispose", async () => {
    let left = 0;
    const gone: (() => void)[] = [];
    const { url } = await serve((_, response) => {
      response.on("close", () => {
        left += 1;
        gone.shift()?.();
      });
      sse(response).write("data: 1\n\n");
    });
    const closed = (): Promise<void> => new Promise((resolve) => gone.push(resolve));
    let wait = closed();
    const stream = openStream(url);
    for await (const item of stream) if (item.data === 1) break;
    await wait;
    expect(stream.state.status).toBe("done");
    wait = closed();
    {
      await using other = openStream(url);
      for await (const batch of other.batches()) if (batch.length === 1) break;
    }
    await wait;
    expect(left).toBe(2);
  });
});
