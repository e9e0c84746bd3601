// Both protocols at one address, the pages of other origins, and the interim response on a host that can send it.

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, test } from "vitest";
import { createListener } from "../../node/listener.ts";
import { memoryUploads } from "./memory-uploads.ts";
import { resumable } from "./resumable.ts";
import { BASE, handlerOf, idIn, send, storedText } from "./sent.test-support.ts";

const TUS = { "tus-resumable": "1.0.0" };

describe("resumable", () => {
  test("OPTIONS tells of both protocols", async () => {
    const { headers, status } = await handlerOf(resumable).handle(send("OPTIONS", BASE));
    expect(status).toBe(204);
    for (const name of ["tus-version", "tus-extension", "accept-patch", "upload-limit"])
      expect(headers.has(name)).toBe(true);
  });

  test.each([
    ["POST", { ...TUS, "upload-length": "3" }, 201, "tus-resumable"],
    ["POST", { "upload-complete": "?0" }, 201, "upload-draft-interop-version"],
    ["POST", { "upload-length": "3" }, 412, "tus-resumable"],
    ["POST", { "upload-draft-interop-version": "8" }, 400, "upload-draft-interop-version"],
  ])("%s with %o is answered with %s and %s", async (method, headers, status, name) => {
    const response = await handlerOf(resumable).handle(send(method, BASE, headers));
    expect([response.status, response.headers.has(name)]).toEqual([status, true]);
  });

  test("an upload that was begun by one protocol is continued by the other", async () => {
    const { handle, storage } = handlerOf(resumable);
    const id = idIn(await handle(send("POST", BASE, { ...TUS, "upload-length": "6" })));
    const draft = { "content-type": "application/partial-upload", "upload-complete": "?0", "upload-offset": "0" };
    expect((await handle(send("PATCH", `${BASE}${id}`, draft, "abc"))).status).toBe(204);
    expect((await handle(send("HEAD", `${BASE}${id}`, TUS))).headers.get("upload-offset")).toBe("3");
    const last = { ...TUS, "content-type": "application/offset+octet-stream", "upload-offset": "3" };
    expect((await handle(send("PATCH", `${BASE}${id}`, last, "def"))).status).toBe(204);
    const head = await handle(send("HEAD", `${BASE}${id}`));
    expect([head.status, head.headers.get("upload-complete")]).toEqual([204, "?1"]);
    expect(await storedText(storage, id)).toBe("abcdef");
  });

  test("a body that was read before is refused, not thrown at the host", async () => {
    const { handle } = handlerOf(resumable);
    const headers = { ...TUS, "upload-length": "3", "content-type": "application/offset+octet-stream" };
    const request = send("POST", BASE, headers, "abc");
    await request.text();
    expect((await handle(request)).status).toBe(500);
  });
});

describe("cors", () => {
  const asked = { origin: "https://app.example", "access-control-request-method": "PATCH" };

  test("an origin that is allowed may send and read what the protocols need, in refusals too", async () => {
    const { handle } = handlerOf(resumable, {
      cors: {
        allowOrigins: ["https://app.example"],
        allowCredentials: true,
        allowHeaders: ["Authorization"],
        maxAgeMs: 60_000,
      },
    });
    const preflight = (await handle(send("OPTIONS", BASE, asked))).headers;
    expect(preflight.get("access-control-allow-origin")).toBe("https://app.example");
    expect(preflight.get("access-control-allow-credentials")).toBe("true");
    expect(preflight.get("access-control-allow-methods")).toContain("PATCH");
    expect(preflight.get("access-control-allow-headers")).toMatch(/Upload-Offset.*Authorization/);
    expect([preflight.get("access-control-max-age"), preflight.get("vary")]).toEqual(["60", "Origin"]);
    for (const headers of [{}, TUS]) {
      const refused = await handle(send("HEAD", `${BASE}x`, { ...headers, origin: "https://app.example" }));
      expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([
        404,
        "https://app.example",
      ]);
      expect(refused.headers.get("access-control-expose-headers")).toContain("Upload-Offset");
    }
  });

  test("another origin is told nothing; any is, where any may; nobody is, without the option", async () => {
    const told = async (cors: Parameters<typeof handlerOf>[1]): Promise<string | null> =>
      (await handlerOf(resumable, cors).handle(send("OPTIONS", BASE, asked))).headers.get(
        "access-control-allow-origin",
      );
    expect(await told({ cors: { allowOrigins: ["https://other.example"] } })).toBeNull();
    expect(await told({ cors: { allowOrigins: "*", allowCredentials: true } })).toBe("*");
    expect(await told({})).toBeNull();
  });
});

describe("sendInterim", () => {
  test.each([
    ["", ["104", "201"]],
    ["Expect: 100-continue\r\n", ["100", "104", "201"]], // section 5: the 104 does not stand for the 100
  ])(
    "sends 104 before the answer on node:http, where the host has writeInformation %j",
    async (expectation, statuses) => {
      const storage = memoryUploads();
      const server = createServer((incoming, outgoing: ServerResponse) => {
        const host = outgoing as ServerResponse & { writeInformation?(status: number, headers: object): void };
        const sendInterim = (status: 104, headers: object): void => host.writeInformation?.(status, headers);
        createListener((request) => resumable(request, { storage, basePath: BASE, sendInterim }))(incoming, outgoing);
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
      let answer = "";
      socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
      const headers = `Upload-Draft-Interop-Version: 8\r\nUpload-Complete: ?1\r\nContent-Length: 3\r\n${expectation}`;
      socket.end(`POST ${BASE} HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\nabc`);
      await once(socket, "close");
      server.close();
      const heads = answer.split("\r\n\r\n").slice(0, -1);
      expect(heads.map((head) => head.slice(9, 12))).toEqual(statuses);
      const [interim, final] = heads.slice(-2).map((head) => /location: (\S+)/i.exec(head)?.[1]);
      expect(interim).toMatch(/^\/api\/tus\/[0-9a-f]{32}$/);
      expect(interim).toBe(final);
    },
  );
});
