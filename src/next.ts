// `tailrace/next`: what a Next.js app needs beside its route handlers.

export { keepContentLength } from "./next/content-length.ts";
export { endStreamsOnShutdown } from "./next/shutdown.ts";
export type { ShutdownOptions } from "./reply/shutdown.ts";
