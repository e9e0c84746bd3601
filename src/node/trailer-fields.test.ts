import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { csvBytes } from "../reply/csv-bytes.ts";
import { csv } from "../reply/csv.ts";
import { ndjson } from "../reply/rows.ts";
import { createListener, type Handler } from "./listener.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function serve(handler: Handler): Promise<number> {
  const server = createServer(createListener(handler)).listen(0, "127.0.0.1");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function ask(
  port: number,
  headers: Readonly<Record<string, string>>,
  method = "GET",
): Promise<{ readonly reply: IncomingMessage; readonly body: string }> {
  const [reply] = (await once(get({ port, host: "127.0.0.1", headers, method, agent: false }), "response")) as [
    IncomingMessage,
  ];
  let body = "";
  for await (const chunk of reply) body += String(chunk);
  return { reply, body };
}

function digestOf(body: string): string {
  return `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
}

function* rows(): Generator<readonly number[]> {
  for (let id = 1; id <= 20_000; id++) yield [id, id * 2];
}

describe("trailers", () => {
  test.each(["trailers", "deflate;q=0.5, Trailers"])(
    "of csv tell rows and digest to a reader that says TE: %s",
    async (te) => {
      const port = await serve((request) => csv(request, rows, { columns: ["id", "twice"], trailers: true }));
      const { reply, body } = await ask(port, { te });
      expect(reply.headers["trailer"]).toBe("repr-digest, tailrace-row-count");
      expect(reply.trailers).toEqual({ "repr-digest": digestOf(body), "tailrace-row-count": "20000" });
      expect(body.split("\r\n")).toHaveLength(20_002);
    },
  );

  test("of ndjson tell the rows without the end record, and the digest with it", async () => {
    const port = await serve((request) => ndjson(request, rows, { endRecord: true, trailers: true }));
    const { reply, body } = await ask(port, { te: "trailers" });
    expect(reply.trailers).toEqual({ "repr-digest": digestOf(body), "tailrace-row-count": "20000" });
    expect(body.split("\n").slice(-2)).toEqual(['{"$end":{"reason":"completed","rows":20000}}', ""]);
  });

  test("are not sent without TE: trailers, without the option, or for a HEAD", async () => {
    const asked = await serve((request) => csv(request, rows, { trailers: true }));
    const unasked = await serve((request) => csv(request, rows));
    for (const { reply } of [
      await ask(asked, {}),
      await ask(asked, { te: "gzip" }),
      await ask(unasked, { te: "trailers" }),
      await ask(asked, { te: "trailers" }, "HEAD"),
    ]) {
      expect(reply.headers["trailer"]).toBeUndefined();
      expect(reply.trailers).toEqual({});
    }
  });

  test("of csvBytes tell the digest", async () => {
    const port = await serve((request) => csvBytes(request, [new Uint8Array([97, 10])], { trailers: true }));
    const { reply } = await ask(port, { te: "trailers" });
    expect(reply.trailers).toEqual({ "repr-digest": digestOf("a\n") });
  });

  test("are not sent when the source fails, as the reply is cut", async () => {
    const broken = function* (): Generator<readonly number[]> {
      yield [1];
      throw new Error("lost");
    };
    const port = await serve((request) => csv(request, broken, { trailers: true, onError: () => undefined }));
    await expect(ask(port, { te: "trailers" })).rejects.toThrow("aborted");
  });

  test("are left out for HTTP/1.0, which has no chunks", async () => {
    const port = await serve((request) => csv(request, [[1]], { trailers: true }));
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n");
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/\r\n\r\n1\r\n$/);
    expect(text).not.toMatch(/trailer:/i);
  });
});
