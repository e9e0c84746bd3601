// Uploads over real sockets to a folder: good ones, cut ones, hostile ones. Nothing may stay behind, nothing may hang.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { serve } from "srvx";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { problem } from "../../src/http/problem.ts";
import { memoryStore } from "../../src/log/memory.ts";
import { Streams } from "../../src/log/streams.ts";
import { diskSink } from "../../src/node/disk-sink.ts";
import { createListener } from "../../src/node/listener.ts";
import { publishTo } from "../../src/receive/progress-stream.ts";
import { ProgressReporter, type UploadProgress } from "../../src/receive/progress.ts";
import { receive, type ReceiveOptions } from "../../src/receive/receive.ts";
import { receiveForm } from "../../src/receive/receive-form.ts";

let folder: string;
let server: Server;
let options: Partial<ReceiveOptions>;
let outcomes: string[];

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), "tailrace-wire-")), "files");
  await mkdir(folder);
  options = {};
  outcomes = [];
  server = createServer(createListener(answer)).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
  await rm(path.dirname(folder), { recursive: true });
});

async function answer(request: Request): Promise<Response> {
  const to = diskSink(folder, { naming: "name" });
  try {
    const isMany = new URL(request.url).pathname === "/form";
    const body = isMany ? await receiveForm(request, { to }) : await receive(request, { to, ...options });
    outcomes.push("stored");
    return Response.json(body, { status: 201 });
  } catch (error) {
    outcomes.push((error as { code?: string }).code ?? String(error));
    return problem(error);
  }
}

const port = (): number => (server.address() as AddressInfo).port;
const url = (at = "/"): string => `http://127.0.0.1:${port()}${at}`;
const descriptors = async (): Promise<number> => (await readdir("/proc/self/fd")).length;

function raw(...pieces: readonly (string | Uint8Array)[]): Socket {
  const socket = connect(port(), "127.0.0.1");
  socket.on("error", () => undefined);
  for (const piece of pieces) socket.write(piece);
  return socket;
}

/** The status that a body gets, sent in the given pieces on a connection that then stays open. */
async function statusOf(headers: string, ...pieces: readonly (string | Uint8Array)[]): Promise<number> {
  const socket = raw(`POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n`, ...pieces);
  const [chunk] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return Number(chunk.toString("latin1").split(" ")[1]);
}

describe("uploads on node:http", () => {
  test("a raw body and a form arrive whole, and their progress can be followed", async () => {
    const streams = new Streams({ store: memoryStore({ name: folder }) }, () => undefined);
    options = { progress: new ProgressReporter({ id: "up", publish: publishTo(streams, "upload/up") }), name: "n.bin" };
    const body = Buffer.alloc(5_000_000, "0123456789abcdef");
    const response = await fetch(url(), { method: "POST", body });
    expect(response.status).toBe(201);
    const sha256 = createHash("sha256").update(body).digest("hex");
    expect(await response.json()).toMatchObject({ name: "n.bin", bytes: 5_000_000, sha256, type: "text/plain" });
    expect((await readFile(path.join(folder, "n.bin"))).equals(body)).toBe(true);
    const reports: UploadProgress[] = [];
    for await (const report of streams.follow<UploadProgress>("upload/up")) reports.push(report);
    expect(reports.at(-1)).toMatchObject({ state: "complete", bytes: 5_000_000, totalBytes: 5_000_000 });
    await streams.close();

    const form = new FormData();
    form.append("note", "ü");
    form.append("f", new File([body], "a.bin"));
    form.append("f", new File(["x"], "../../a.bin"));
    const many = await fetch(url("/form"), { method: "POST", body: form });
    const { files } = (await many.json()) as { files: { name: string; bytes: number; stored: { key: string } }[] };
    expect(files.map((file) => [file.name, file.bytes, file.stored.key])).toEqual([
      ["a.bin", 5_000_000, "a.bin"],
      ["a.bin", 1, "a (2).bin"],
    ]);
    expect((await readdir(folder)).toSorted()).toEqual(["a (2).bin", "a.bin", "n.bin"]);
  });

  test("a sender that dies leaves no file and no descriptor, wherever it dies", async () => {
    await fetch(url(), { method: "POST", body: "warm" });
    const before = await descriptors();
    const body = Buffer.alloc(2_000_000, "x");
    const ways = [0, 1, 511, 512, 100_000, 1_999_999].map((bytes) => body.subarray(0, bytes));
    for (const sent of ways) {
      const socket = raw("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n", sent);
      await vi.waitFor(() => expect(socket.bytesWritten).toBeGreaterThanOrEqual(sent.length));
      await new Promise((resolve) => setTimeout(resolve, 20)); // let some of it be stored
      socket.destroy();
    }
    await vi.waitFor(() => expect(outcomes).toHaveLength(1 + ways.length));
    expect(outcomes.slice(1)).toEqual(ways.map(() => "aborted"));
    expect(await readdir(folder)).toHaveLength(1);
    await vi.waitFor(async () => expect(await descriptors()).toBeLessThanOrEqual(before));
  });

  test.each([
    ["raw", "content-type: text/plain"],
    ["as a form", "content-type: multipart/form-data; boundary=b"],
  ])("a silent or trickling sender gets 408: %s", async (_title, type) => {
    options = { idleMs: 100 };
    expect(await statusOf(`${type}\r\ncontent-length: 10000`)).toBe(408);
    expect(await statusOf(`${type}\r\ncontent-length: 10000`, "--b\r\n")).toBe(408);
    expect(await statusOf(`${type}\r\ntransfer-encoding: chunked`, "5\r\n--b\r\n\r\n")).toBe(408);
    expect(await readdir(folder)).toEqual([]);
  });

  test("a sender that goes on sending gets the refusal all the same", async () => {
    options = { maxBytes: 1_000 };
    expect(await statusOf("content-length: 50000000", Buffer.alloc(200_000))).toBe(413);
    expect(await statusOf("transfer-encoding: chunked", "10000\r\n", Buffer.alloc(65_536))).toBe(413);
    options = { types: ["image/*"] };
    expect(await statusOf("content-length: 50000000", Buffer.alloc(200_000))).toBe(415);
    expect(await readdir(folder)).toEqual([]);
  });

  test("hostile bodies end with an answer and leave nothing behind", { timeout: 600_000 }, async () => {
    const words = [
      "--b",
      "--b--",
      "\r\n",
      "\r",
      "\n",
      " ",
      `Content-Disposition: form-data; name="f"; filename="../../x"`,
      "Content-Type: a/b",
      ":",
      "\0",
      "x".repeat(700),
      "--b\r\n",
    ];
    const good = `--b\r\n${words[6]}\r\n\r\nok\r\n--b--\r\n`;
    const body = fc.oneof(
      fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((pieces) => pieces.join("")),
      fc
        .tuple(fc.nat(good.length), fc.constantFrom(...words))
        .map(([at, word]) => good.slice(0, at) + word + good.slice(at)),
      fc.tuple(fc.nat(good.length), fc.nat(10)).map(([at, count]) => good.slice(0, at) + good.slice(at + count)),
    );
    const form = { "content-type": "multipart/form-data; boundary=b" };
    const property = fc.asyncProperty(body, fc.constantFrom("/", "/form"), async (text, at) => {
      const response = await fetch(url(at), { method: "POST", headers: form, body: Buffer.from(text, "latin1") });
      await response.arrayBuffer();
      const names = await readdir(folder);
      expect([201, 400, 413, 422]).toContain(response.status);
      if (response.status !== 201) expect(names).toEqual([]);
      for (const name of names) {
        expect(name).not.toMatch(/^\.|[\\/\0]/);
        await rm(path.join(folder, name));
      }
    });
    await fc.assert(property, { numRuns: process.env["LONG"] === "1" ? 10_000 : 300 });
    expect(await readdir(path.dirname(folder))).toEqual(["files"]);
  });
});

test("uploads arrive through another host of web handlers, and refusals reach their senders there", async () => {
  const other = serve({ fetch: answer, hostname: "127.0.0.1", port: 0, silent: true, gracefulShutdown: false });
  await other.ready();
  const address = other.url as string;
  const stored = await fetch(address, { method: "POST", body: Buffer.alloc(3_000_000, "x") });
  expect(await stored.json()).toMatchObject({ bytes: 3_000_000 });
  options = { maxBytes: 1_000 };
  expect((await fetch(address, { method: "POST", body: Buffer.alloc(3_000_000) })).status).toBe(413);
  await other.close(true);
});
