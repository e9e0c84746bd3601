// The end of a sentence of the start page: where this server keeps its streams. Only a running server knows, not the build.

import { connection } from "next/server";
import type { ReactNode } from "react";
import { redisUrl } from "../lib/environment.ts";

export async function WhereStreamsAre(): Promise<ReactNode> {
  await connection();
  return redisUrl() === undefined
    ? "and one SQLite file."
    : "and on every other instance that knows the same Redis: its streams are in Redis.";
}
