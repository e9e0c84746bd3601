import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRaw } from "../flow/fetch-marks.ts";
import { guardedFetch } from "./guarded-fetch.ts";

let server: Server;
let origin: string;
let port: number;
let asked: IncomingMessage[];
let answer: RequestListener;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
  origin = `http://127.0.0.1:${port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function serve(listener: RequestListener): void {
  asked = [];
  answer = listener;
}

/** When the connection of `request` has closed, in good order or not. */
function closing(request: IncomingMessage | undefined): Promise<void> {
  return new Promise((resolve) => request?.on("error", () => undefined).once("close", () => resolve()));
}

const refused = { code: "address_refused", status: 403, message: "The upstream's address may not be asked." };

describe("guardedFetch", () => {
  test.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://①②⑦.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://0/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://localhost/",
    "http://user@1.1.1.1/",
    "http://user:pw@1.1.1.1/",
    "ftp://1.1.1.1/",
    "file:///etc/hostname",
    "data:text/plain,x",
    "not an address",
  ])("guardedFetch refuses %s", async (address) => {
    await expect(guardedFetch()(address)).rejects.toMatchObject(refused);
  });

  test("guardedFetch refuses a name if one of its addresses is private", async () => {
    const resolve = (): Promise<readonly string[]> => Promise.resolve(["93.184.215.14", "10.0.0.1"]);
    await expect(guardedFetch({ resolve })("http://both.example/")).rejects.toMatchObject(refused);
  });

  test("guardedFetch resolves a name once for each request, and connects to what it checked", async () => {
    serve((_request, response) => response.end("here"));
    const answers = [["127.0.0.1"], ["169.254.169.254"]];
    const resolved: string[] = [];
    const fetch = guardedFetch({
      allowPrivate: ["127.0.0.0/8"],
      resolve: (name) => {
        resolved.push(name);
        return Promise.resolve(answers[resolved.length - 1] ?? []);
      },
    });
    const response = await fetch(`http://rebind.example:${port}/`);
    expect(await response.text()).toBe("here");
    expect(resolved).toEqual(["rebind.example"]);
    expect(asked[0]?.headers.host).toBe(`rebind.example:${port}`);
    // The connection is kept, and the name now leads elsewhere: it is checked again all the same.
    await expect(fetch(`http://rebind.example:${port}/`)).rejects.toMatchObject(refused);
    expect(asked).toHaveLength(1);
  });

  test("guardedFetch checks each redirect anew", async () => {
    serve((request, response) => {
      const to = request.url === "/" ? "/again" : "http://internal.example/";
      response.writeHead(302, { location: to }).end();
    });
    const fetch = guardedFetch({
      allowPrivate: [`127.0.0.1:${port}`],
      resolve: () => Promise.resolve(["192.168.1.1"]),
    });
    await expect(fetch(origin)).rejects.toMatchObject(refused);
    expect(asked.map(({ url }) => url)).toEqual(["/", "/again"]);
  });

  test("guardedFetch follows five redirects and no more", async () => {
    serve((request, response) => {
      const count = Number(request.url?.slice(1));
      if (count === 0) response.end("there");
      else response.writeHead(302, { location: `/${count - 1}` }).end();
    });
    const fetch = guardedFetch({ allowPrivate: [`127.0.0.1:${port}`] });
    expect(await (await fetch(`${origin}/5`)).text()).toBe("there");
    await expect(fetch(`${origin}/6`)).rejects.toMatchObject({ code: "upstream_failed" });
    expect((await fetch(`${origin}/6`, { redirect: "manual" })).status).toBe(302);
    await expect(fetch(`${origin}/6`, { redirect: "error" })).rejects.toMatchObject({ code: "upstream_failed" });
  });

  test.each<[readonly string[], string, boolean]>([
    [["a.example"], "http://a.example:8080/", true],
    [["a.example:8080"], "http://a.example:8080/", true],
    [["a.example:8080"], "http://a.example/", false],
    [["http://a.example"], "http://a.example/", true],
    [["http://a.example"], "http://a.example:8080/", false],
    [["a.example"], "http://b.a.example/", false],
    [["A.EXAMPLE"], "http://a.example/", true],
  ])("guardedFetch with allow %j and %s: %s", async (allow, address, isAllowed) => {
    const asked: string[] = [];
    const resolve = (name: string): Promise<readonly string[]> => {
      asked.push(name);
      return Promise.resolve(["10.0.0.1"]);
    };
    await expect(guardedFetch({ allow, resolve })(address)).rejects.toMatchObject(refused);
    expect(asked.length > 0).toBe(isAllowed);
  });

  test("guardedFetch takes exceptions by range and by host:port, and refuses what it cannot read", async () => {
    serve((_request, response) => response.end());
    for (const exception of ["127.0.0.0/8", `127.0.0.1:${port}`]) {
      expect((await guardedFetch({ allowPrivate: [exception] })(origin)).status).toBe(200);
    }
    await expect(guardedFetch({ allowPrivate: [`127.0.0.1:${port + 1}`] })(origin)).rejects.toMatchObject(refused);
    for (const allowPrivate of ["127.0.0.1", "127.0.0.0/99", "a b:1", "http://x:1/y"]) {
      expect(() => guardedFetch({ allowPrivate: [allowPrivate] })).toThrow(RangeError);
    }
  });

  test("guardedFetch gives a body as it came, and says so", async () => {
    const coded = gzipSync("text");
    serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(coded));
    const response = await guardedFetch({ allowPrivate: ["127.0.0.0/8"] })(origin);
    expect(isRaw(response)).toBe(true);
    expect(Buffer.from(await response.arrayBuffer()).equals(coded)).toBe(true);
  });

  test.each<[BodyInit, string | undefined, string]>([
    ["text", "text/plain;charset=UTF-8", "text"],
    [new URLSearchParams({ a: "1" }), "application/x-www-form-urlencoded;charset=UTF-8", "a=1"],
    [new Blob(["blob"], { type: "text/x" }), "text/x", "blob"],
    [new Uint8Array([97]), undefined, "a"],
  ])("guardedFetch sends the body %s", async (body, type, wanted) => {
    serve((request, response) => {
      response.writeHead(200, { "x-length": request.headers["content-length"] ?? "none" });
      request.pipe(response);
    });
    const fetch = guardedFetch({ allowPrivate: ["127.0.0.0/8"] });
    const response = await fetch(origin, { method: "POST", body });
    expect([asked[0]?.headers["content-type"], response.headers.get("x-length"), await response.text()]).toEqual([
      type,
      String(wanted.length),
      wanted,
    ]);
  });

  test("guardedFetch gives large bodies unharmed, one after the other on one connection", async () => {
    const body = randomBytes(3_000_001);
    serve((request, response) => {
      if (request.url === "/sized") response.setHeader("content-length", body.length);
      response.end(body);
    });
    const ports = new Set<number | undefined>();
    const fetch = guardedFetch({ allowPrivate: ["127.0.0.0/8"] });
    for (const path of ["/sized", "/", "/sized", "/"]) {
      const came = Buffer.from(await (await fetch(origin + path)).arrayBuffer());
      expect(came.equals(body)).toBe(true);
      ports.add(asked.at(-1)?.socket.remotePort);
    }
    expect(ports.size).toBe(1);
  });

  test("guardedFetch tries the next address when one does not answer", async () => {
    serve((_request, response) => response.end("second"));
    const fetch = guardedFetch({
      allowPrivate: ["127.0.0.0/8"],
      resolve: () => Promise.resolve(["127.0.0.2", "127.0.0.1"]),
    });
    expect(await (await fetch(`http://two.example:${port}/`)).text()).toBe("second");
  });

  test("guardedFetch asks again when a kept connection has been closed", async () => {
    const keeper = createTcpServer((socket) => {
      let count = 0;
      socket.on("error", () => undefined);
      socket.on("data", () => {
        if (++count === 1) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        else socket.resetAndDestroy();
      });
    }).listen(0, "127.0.0.1");
    await once(keeper, "listening");
    const fetch = guardedFetch({ allowPrivate: ["127.0.0.0/8"] });
    const address = `http://127.0.0.1:${(keeper.address() as AddressInfo).port}/`;
    for (let count = 0; count < 3; count++) expect(await (await fetch(address)).text()).toBe("ok");
    keeper.close();
  });

  test("guardedFetch names what it met: nobody there, no such name, no time left", async () => {
    const free = createTcpServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port: freePort } = free.address() as AddressInfo;
    free.close();
    await once(free, "close");
    const fetch = guardedFetch({
      allowPrivate: ["127.0.0.0/8"],
      connectMs: 30,
      resolve: (name) =>
        name === "none.example" ? Promise.reject(new Error("ENOTFOUND")) : new Promise(() => undefined),
    });
    await expect(fetch(`http://127.0.0.1:${freePort}/`)).rejects.toMatchObject({ code: "upstream_failed" });
    await expect(fetch("http://none.example/")).rejects.toMatchObject({ code: "upstream_failed" });
    await expect(fetch("http://slow.example/")).rejects.toMatchObject({ code: "upstream_slow" });
  });

  test("guardedFetch obeys its signal before the answer and in the body", async () => {
    serve(() => undefined);
    const fetch = guardedFetch({ allowPrivate: ["127.0.0.0/8"] });
    await expect(fetch(origin, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    const before = new AbortController();
    const waiting = fetch(origin, { signal: before.signal });
    await once(server, "request");
    const left = closing(asked[0]);
    before.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    await left;

    serve((_request, response) => void response.write("part"));
    const within = new AbortController();
    const response = await fetch(origin, { signal: within.signal });
    const closed = closing(asked[0]);
    within.abort();
    await expect(response.text()).rejects.toMatchObject({ name: "AbortError" });
    await closed;
  });
});
