// A place on the network behind which another server can be put, or nothing: what a name that moves, or a cable, is in a test.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export class Forwarder {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: number | undefined;
  #holds = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Listens on a free port, and passes everything on to the port `target`. */
  static async start(target: number): Promise<Forwarder> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const forwarder = new Forwarder(server, (server.address() as AddressInfo).port);
    forwarder.#target = target;
    server.on("connection", (socket) => forwarder.#pass(socket));
    return forwarder;
  }

  /** From now on nothing gets through, though the connections stay: what is sent is lost when they break. */
  hold(): void {
    this.#holds = true;
  }

  /** Breaks every connection; new ones go to the port `target`, or nowhere. */
  turnTo(target: number | undefined): void {
    this.#target = target;
    this.#holds = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.turnTo(undefined);
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #pass(client: Socket): void {
    if (this.#target === undefined) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, "127.0.0.1");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => {}); // "close" follows
      from.on("data", (bytes) => {
        if (!this.#holds) to.write(bytes);
      });
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}
