// The uploads of this tab. They live outside of the page, so that they go on while one looks at another.

"use client";

import { createUploadQueue, type UploadQueue } from "tailrace/client";

/** Two at a time: a browser has six connections to an origin over HTTP/1.1, and three are for what others upload. */
const CONCURRENT_COUNT = 2;

export const UPLOAD_URL = "/api/tus/";

export const uploadQueue: UploadQueue = createUploadQueue({ concurrency: CONCURRENT_COUNT });
