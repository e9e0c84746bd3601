// `tailrace/next`: what a Next.js app needs beside its route handlers.

export { endStreamsOnShutdown } from "./next/shutdown.ts";
export type { ShutdownOptions } from "./reply/shutdown.ts";
