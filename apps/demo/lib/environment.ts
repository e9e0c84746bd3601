// What the demo takes from its environment.

import { resolve } from "node:path";

/** Where the demo keeps its data. `npm start` passes an absolute path. */
export const dataDir: string = resolve(/* turbopackIgnore: true */ process.env["DATA_DIR"] ?? "data");

/** The file that holds the streams, unless Redis does. */
export const streamsFile: string = resolve(/* turbopackIgnore: true */ dataDir, "streams.db");

/** The address of the Redis that holds the streams; undefined where they are in a file. */
export function redisUrl(): string | undefined {
  return process.env["REDIS_URL"] || undefined;
}

/** Whether a language model is configured; without one the demo answers from its own documentation. */
export function hasModel(): boolean {
  return Boolean(process.env["OPENAI_API_KEY"] ?? process.env["OPENAI_BASE_URL"]);
}

/** Whether files are sent with their `content-length`, which Next.js drops. On, unless `KEEP_CONTENT_LENGTH` is 0. */
export function keepsContentLength(): boolean {
  return process.env["KEEP_CONTENT_LENGTH"] !== "0";
}
