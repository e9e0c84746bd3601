// The demo's named streams: one SQLite file, shared by every instance of the demo on this host.

import { createStreams, type Streams } from "tailrace";
import { sqliteStore } from "tailrace/sqlite";
import { streamsFile } from "./environment.ts";

export const streams: Streams = createStreams({ store: sqliteStore(streamsFile) });
