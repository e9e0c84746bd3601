// What a server's process holds, as the kernel counts it (Linux).

import { readdirSync, readFileSync } from "node:fs";

/** The process's resident memory, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1_024;
}

/** How many files and sockets it has open. */
export function openedCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** What the kernel holds of the connections of `port` (both ends), sent and not yet read, in bytes. */
export function underWayBytes(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  let bytes = 0;
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
    const [, local = "", remote = "", state, queues = ""] = line.trim().split(/\s+/);
    // Of a listening socket the queue counts connections.
    if (state === "0A" || (!local.endsWith(`:${hex}`) && !remote.endsWith(`:${hex}`))) continue;
    for (const queue of queues.split(":")) bytes += Number.parseInt(queue, 16);
  }
  return bytes;
}
