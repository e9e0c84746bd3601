// busboy and @fastify/busboy, as their manuals show them; with `sha256` in the address a digest is made as the bytes pass.

import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { Readable, Writable } from "node:stream";
import { endOf, peer } from "./uploads-ends.ts";

type Make = (config: { headers: IncomingHttpHeaders }) => Writable;

const name = process.argv[3] ?? "busboy";
const module = await peer<{ default: Make | (new (config: { headers: IncomingHttpHeaders }) => Writable) }>(name);
const make: Make = (config) =>
  name === "busboy"
    ? (module.default as Make)(config)
    : new (module.default as new (...args: Parameters<Make>) => Writable)(config);

createServer((incoming, outgoing) => {
  const url = incoming.url ?? "";
  const parser = make({ headers: incoming.headers });
  const ends: Promise<() => Promise<void>>[] = [];
  parser.on("file", (_field: string, file: Readable) => {
    const { stream, remove } = endOf(url);
    const hash = url.includes("sha256") ? createHash("sha256") : undefined;
    if (hash !== undefined) file.on("data", (chunk: Buffer) => hash.update(chunk));
    file.pipe(stream);
    ends.push(
      new Promise((resolve) =>
        stream.on("finish", () => {
          hash?.digest("hex");
          resolve(remove);
        }),
      ),
    );
  });
  // busboy ends with `close`, @fastify/busboy with `finish`.
  parser.on(name === "busboy" ? "close" : "finish", () => {
    void Promise.all(ends).then((all) => {
      outgoing.end("{}");
      return Promise.all(all.map((remove) => remove()));
    });
  });
  incoming.pipe(parser);
}).listen(0, "127.0.0.1");
