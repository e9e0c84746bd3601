// Where the files lie that every server of the files benchmark sends.

import { join } from "node:path";

/** The folder, from the command line. */
export const ROOT: string = process.argv[2] ?? "";

/** The file that a request asks for. The benchmark asks for plain names only; this is no way to serve a folder. */
export function pathOf(url: string): string {
  return join(ROOT, new URL(url, "http://127.0.0.1").pathname);
}
