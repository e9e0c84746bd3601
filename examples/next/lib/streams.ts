// One object per process, however often Next.js loads this module.

import { createStreams, type Streams } from "tailrace";
import { sqliteStore } from "tailrace/sqlite";

export const streams: Streams = createStreams({ store: sqliteStore("data/streams.db") });
