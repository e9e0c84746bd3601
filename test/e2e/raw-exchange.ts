// One request over a socket of its own, so that a test can send a part, read a part, stop reading, or go.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class RawExchange {
  readonly socket: Socket;
  #text = "";
  #isOver = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => (this.#text += text));
    socket.on("error", () => undefined).on("close", () => (this.#isOver = true));
    // The server has ended the connection: nothing is left to send.
    socket.on("end", () => socket.end());
  }

  /** Connects to `url` and sends the head of a request. A client that has sent all it will send may still read. */
  static async open(url: string, method: string, headers: Readonly<Record<string, string>> = {}): Promise<RawExchange> {
    const { hostname, port, host, pathname, search } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    await once(socket, "connect");
    const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`${method} ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`);
    return new RawExchange(socket);
  }

  /** All that has come, as latin1. */
  get text(): string {
    return this.#text;
  }

  get status(): number {
    return Number(this.#text.slice(9, 12));
  }

  /** Whether the answer ended as a chunked one must (RFC 9112 section 7.1), and was not cut. */
  get isWhole(): boolean {
    return this.#text.endsWith("\r\n0\r\n\r\n");
  }

  /** Sends one chunk of a chunked body; an empty one ends it. */
  chunk(bytes: Uint8Array | string): void {
    this.socket.write(`${Buffer.byteLength(bytes).toString(16)}\r\n`);
    this.socket.write(bytes);
    this.socket.write("\r\n");
  }

  /** Resolves once `text` has come. @throws if the answer is over before */
  async until(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      if (this.#isOver) throw new Error(`The answer is over without ${JSON.stringify(text)}: ${this.#text}`);
      await this.#news();
    }
  }

  /** Resolves at the next bytes, or when the connection is closed. */
  #news(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const events = ["data", "close"] as const;
    for (const event of events) this.socket.once(event, resolve);
    return promise.finally(() => {
      for (const event of events) this.socket.off(event, resolve);
    });
  }

  /** Resolves once the server has closed the connection, whether in order or not. */
  async closed(): Promise<void> {
    while (!this.#isOver) await this.#news();
  }
}
