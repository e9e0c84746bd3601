// Says in one line what would keep the demo from starting, before it does: run by `npm start`.

import { streams } from "./lib/streams.ts";

try {
  if (process.env["REDIS_URL"])
    throw new Error("REDIS_URL is set, but this version keeps its streams in SQLite only: unset it.");
  await streams.open();
  await streams.close();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
