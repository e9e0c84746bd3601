// A process that takes resumable uploads into a folder and tells its parent what is stored and what is complete. It may be killed at any
// time, and kills itself where it is told to.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { diskUploads } from "../../src/node/disk-uploads.ts";
import { createListener } from "../../src/node/listener.ts";
import { resumable } from "../../src/receive/resumable/resumable.ts";
import type { UploadStorage } from "../../src/receive/resumable/storage.ts";

/** Where the process dies by SIGKILL: once so many bytes of an upload have come, while they are written, or before anybody is told. */
export interface Death {
  readonly atBytes: number;
  readonly moment: "writing" | "stored";
}

/** What the server tells. */
export type Report =
  | { readonly is: "ready"; readonly port: number }
  | { readonly is: "armed" }
  | { readonly is: "stored"; readonly id: string; readonly offset: number }
  | { readonly is: "complete"; readonly id: string; readonly bytes: number; readonly sha256: string };

const [folder = "", port = "0", deathText = "null"] = process.argv.slice(2);
let death = JSON.parse(deathText) as Death | null;
process.on("message", (told: Death) => {
  death = told;
  tell({ is: "armed" });
});
const tell = (report: Report): void => void process.send?.(report);
const disk = diskUploads(folder);

function dieIfDue(moment: Death["moment"], bytes: number): void {
  if (death?.moment === moment && bytes >= death.atBytes) process.kill(process.pid, "SIGKILL");
}

async function* watched(chunks: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
  let bytes = offset;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    yield chunk; // who asks for the next has begun to write this one
    dieIfDue("writing", bytes);
  }
}

const storage: UploadStorage = {
  ...disk,
  append: (id, offset, chunks, options = {}) =>
    disk.append(id, offset, watched(chunks, offset), {
      ...options,
      onStored(stored) {
        dieIfDue("stored", stored);
        options.onStored?.(stored);
        tell({ is: "stored", id, offset: stored });
      },
    }),
};

const listener = createListener((request) =>
  resumable(request, {
    storage,
    basePath: "/files/",
    async onComplete({ id, lengthBytes, read }) {
      const hash = createHash("sha256");
      for await (const chunk of read()) hash.update(chunk);
      tell({ is: "complete", id, bytes: lengthBytes, sha256: hash.digest("hex") });
    },
  }),
);
const server = createServer(listener);
server.listen(Number(port), "127.0.0.1", () => tell({ is: "ready", port: (server.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit());
