// Loaded into the demo's server (node --import) by start.mjs: when the script that started it is gone, killed with
// SIGKILL even, the server ends itself as on SIGTERM instead of holding the port for ever.

import { isMainThread } from "node:worker_threads";

const GRACE_MS = 4_500;

if (isMainThread && process.channel) {
  process.once("disconnect", () => {
    setTimeout(() => process.kill(process.pid, "SIGKILL"), GRACE_MS).unref();
    process.kill(process.pid, "SIGTERM");
  });
  // The channel alone must not keep a server alive that has nothing left to do.
  process.channel.unref();
}
