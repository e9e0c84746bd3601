// Where the bodies of the upload benchmark end: nowhere, or in a file that is removed after the answer. Shared by every server.

import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";

/** The folder for files, made and removed by the benchmark. */
export const FOLDER: string = process.argv[2] ?? ".";

let count = 0;

/** A stream for one file, as most people write it: `createWriteStream`, or one that forgets. */
export function endOf(url: string): { readonly stream: Writable; readonly remove: () => Promise<void> } {
  if (!url.includes("disk")) {
    return { stream: new Writable({ write: (_chunk, _encoding, next) => next() }), remove: () => Promise.resolve() };
  }
  const file = path.join(FOLDER, `peer-${process.pid}-${count++}`);
  return { stream: createWriteStream(file), remove: () => rm(file) };
}

/** A peer from this repository's packages, or from the folder that TAILRACE_BENCH_PEERS names. */
export async function peer<T>(name: string): Promise<T> {
  const elsewhere = process.env["TAILRACE_BENCH_PEERS"];
  const from = elsewhere === undefined ? import.meta.url : pathToFileURL(path.join(elsewhere, "package.json")).href;
  try {
    return (await import(pathToFileURL(createRequire(from).resolve(name)).href)) as T;
  } catch {
    return (await import(name)) as T;
  }
}
