// A server over a handler, and readers that leave, stall or take the reply whole.

import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import { type AddressInfo } from "node:net";
import { createListener, type Handler } from "../../src/node/listener.ts";

export interface TestServer extends AsyncDisposable {
  readonly port: number;
}

export async function serve(handler: Handler): Promise<TestServer> {
  const server = createServer(createListener(handler)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Asks, and gives the reply when its headers have arrived. */
export async function ask(port: number, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  const request = get({ port, host: "127.0.0.1", headers, agent: false });
  const [reply] = (await once(request, "response")) as [IncomingMessage];
  reply.on("error", () => undefined);
  return reply;
}

/** The whole reply; `isCut` if it ended before its end. */
export async function read(
  port: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly body: Buffer; readonly isCut: boolean; readonly reply: IncomingMessage }> {
  const reply = await ask(port, headers);
  const chunks: Buffer[] = [];
  reply.on("data", (chunk: Buffer) => chunks.push(chunk));
  await closed(reply);
  return { body: Buffer.concat(chunks), isCut: !reply.complete, reply };
}

/** Reads `bytes` bytes at least, and leaves. */
export async function leaveAfter(port: number, bytes: number): Promise<void> {
  const reply = await ask(port);
  let got = 0;
  reply.on("data", (chunk: Buffer) => {
    got += chunk.length;
    if (got >= bytes) reply.destroy();
  });
  await closed(reply);
}

/** Not `once`, which would reject for a reply that is cut. */
function closed(reply: IncomingMessage): Promise<void> {
  return new Promise((resolve) => reply.on("close", resolve));
}
