// The start and the end of the server process.

import { endStreamsOnShutdown, keepContentLength } from "tailrace/next";
import { keepsContentLength } from "./environment.ts";
import { prepareFolders } from "./folders.ts";
import { closeStreams, streams } from "./streams.ts";
import { sweepEveryHour } from "./uploads.ts";

/** Opens the store, so that a fault shows before the first request does, and sees to the open streams at the end. */
export async function prepareServer(): Promise<void> {
  try {
    await streams.open();
    await prepareFolders();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
  sweepEveryHour();
  endStreamsOnShutdown({ streams: [{ drain: () => streams.drain(), close: closeStreams }] });
  // So that the browser's own downloads know how much is left.
  if (keepsContentLength()) keepContentLength();
}
