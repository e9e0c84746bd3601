// A server of its own process for the transform tests: what it holds is its own. It tells its port and answers "rss" with a report.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { transform } from "../../src/flow/transform.ts";
import { createListener } from "../../src/node/listener.ts";

let peakBytes = 0;
const measure = (): void => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
};
setInterval(measure, 20).unref();

const server = createServer(
  createListener((request) => {
    switch (new URL(request.url).pathname) {
      case "/upper":
        return transform(request, (text) => text.toUpperCase(), { as: "text" });
      case "/drop":
        return transform(request, () => undefined);
      default:
        return transform(request, (bytes) => bytes);
    }
  }),
);
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("message", () => {
  measure();
  process.send?.({ peakBytes });
});
process.on("disconnect", () => process.exit(0));
