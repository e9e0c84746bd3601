// A process that takes resumable uploads into a folder and tells its parent what is stored and what is complete. It may be killed at any time.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createListener, diskUploads } from "../../src/node.ts";
import { resumable, type UploadStorage } from "../../src/upload.ts";

/** What the server tells. */
export type Report =
  | { readonly is: "ready"; readonly port: number }
  | { readonly is: "stored"; readonly id: string; readonly offset: number }
  | { readonly is: "complete"; readonly id: string; readonly bytes: number; readonly sha256: string };

const [folder = "", port = "0"] = process.argv.slice(2);
const tell = (report: Report): void => void process.send?.(report);
const disk = diskUploads(folder);
const storage: UploadStorage = {
  ...disk,
  append: (id, offset, chunks, options = {}) =>
    disk.append(id, offset, chunks, {
      ...options,
      onStored(stored) {
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
