import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { problem } from "../http/problem.ts";
import { memorySink } from "../receive/memory-sink.ts";
import { receive, type ReceiveOptions } from "../receive/receive.ts";
import { incomingBody } from "./incoming-body.ts";

let server: Server;
let handle: (request: Request, incoming: IncomingMessage) => Promise<Response>;

beforeEach(async () => {
  server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const headers = new Headers(Object.entries(incoming.headers) as [string, string][]);
  const init = { method: "POST", headers, body: incomingBody(incoming, outgoing), duplex: "half" };
  const response = await handle(new Request("http://localhost/", init), incoming);
  outgoing.statusCode = response.status;
  outgoing.end(await response.text());
}

const uploads =
  (options: Partial<ReceiveOptions> = {}) =>
  async (request: Request): Promise<Response> => {
    try {
      return Response.json(await receive(request, { to: memorySink(), ...options }));
    } catch (error) {
      return problem(error);
    }
  };
const port = (): number => (server.address() as AddressInfo).port;

function raw(head: string): Socket {
  const socket = connect(port(), "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`);
  return socket;
}

async function firstLine(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, "data")) as [Buffer];
  return chunk.toString("latin1").split("\r\n", 1)[0] as string;
}

describe("incomingBody()", () => {
  test("incomingBody() gives the bytes to receive() without a web stream, and to anybody else with one", async () => {
    const body = Buffer.alloc(3_000_000, "abc");
    handle = uploads();
    const stored = await fetch(`http://127.0.0.1:${port()}`, { method: "POST", body });
    expect(await stored.json()).toMatchObject({ bytes: 3_000_000 });
    handle = async (request) => new Response(String((await request.arrayBuffer()).byteLength));
    const read = await fetch(`http://127.0.0.1:${port()}`, { method: "POST", body });
    expect(await read.text()).toBe("3000000");
  });

  test("incomingBody() locks what receive() reads", async () => {
    handle = async (request) => {
      await receive(request, { to: memorySink() });
      return new Response(await request.text().catch((error: unknown) => (error as Error).name));
    };
    const response = await fetch(`http://127.0.0.1:${port()}`, { method: "POST", body: "x" });
    expect(await response.text()).toBe("TypeError");
  });

  test("a sender that is refused gets the answer while it is still sending, and is cut after a while", async () => {
    handle = uploads({ maxBytes: 1_000 });
    const socket = raw("content-length: 1000000000");
    socket.write(Buffer.alloc(100_000));
    expect(await firstLine(socket)).toBe("HTTP/1.1 413 Payload Too Large");
    await once(socket, "close");
  });

  test("a refused sender that comes to its end may go on using its connection", async () => {
    handle = uploads({ maxBytes: 1_000 });
    const socket = raw("content-length: 100000");
    socket.write(Buffer.alloc(50_000));
    expect(await firstLine(socket)).toMatch(/ 413 /);
    socket.write(Buffer.alloc(50_000));
    handle = uploads();
    socket.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nok");
    expect(await firstLine(socket)).toBe("HTTP/1.1 200 OK");
    socket.destroy();
  });

  test("a sender that leaves is an error of the body", async () => {
    const seen = Promise.withResolvers<unknown>();
    handle = async (request) => {
      await request.arrayBuffer().catch(seen.resolve);
      return new Response();
    };
    const socket = raw("content-length: 100");
    socket.write("0123", () => socket.destroy());
    expect(await seen.promise).toBeInstanceOf(Error);
  });

  test("a body that nobody reads holds the sender back, and is never read ahead by more than its limit", async () => {
    const asked = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    let incoming: IncomingMessage | undefined;
    handle = async (request, given) => {
      incoming = given;
      const reader = request.body?.getReader();
      await reader?.read();
      asked.resolve();
      await go.promise;
      let bytes = 0;
      for (let result = await reader?.read(); result?.done === false; result = await reader?.read())
        bytes += result.value.length;
      return new Response(String(bytes));
    };
    const sending = httpRequest({ port: port(), host: "127.0.0.1", method: "POST" });
    sending.write(Buffer.alloc(64_000_000));
    sending.end();
    await asked.promise;
    await expect.poll(() => incoming?.isPaused()).toBe(true);
    go.resolve();
    const [response] = (await once(sending, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of response) text += String(chunk);
    expect(Number(text)).toBeGreaterThan(63_000_000);
  });
});
