// Preloaded into every child process: reports the port it listens on, answers for its CPU time, and ends with its parent.

import { subscribe } from "node:diagnostics_channel";
import type { AddressInfo, Server } from "node:net";

// One way for all servers, `next start` included, which could not be asked to announce itself.
subscribe("tracing:net.server.listen:asyncEnd", (message) => {
  const { server } = message as { readonly server: Server };
  process.send?.({ port: (server.address() as AddressInfo).port });
});

process.on("message", (message) => {
  if (message !== "cpu") return;
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});

// The parent closes the channel, or dies: either way nothing may stay behind.
process.on("disconnect", () => {
  process.exit(0);
});
