// A job that survives its readers, on plain node:http: POST starts it or joins it, GET follows it, DELETE stops it.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createStreams, problem, shutdown, sse, TailraceError } from "tailrace";
import { createListener } from "tailrace/node";
import { sqliteStore } from "tailrace/sqlite";

const streams = createStreams({ store: sqliteStore(`${process.env["DATA_DIR"] ?? "data"}/example.db`) });

async function* work(): AsyncGenerator<{ done: number }> {
  for (let done = 0; done <= 100; done += 10) {
    yield { done };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function handle(request: Request): Promise<Response> {
  const name = new URL(request.url).pathname.slice(1); // as in /jobs/42
  if (!/^jobs\/\w{1,64}$/.test(name)) {
    return problem(new TailraceError("stream_unknown", "There are only jobs here, such as /jobs/42."));
  }
  if (request.method === "POST") return sse(request, await streams.run(name, work));
  if (request.method === "DELETE") return Response.json(await streams.stop(name));
  return sse(request, streams.follow(name));
}

const server = createServer(createListener(handle));
server.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

process.once("SIGTERM", () => {
  server.close();
  void shutdown({ streams: [streams] }).then(() => server.closeAllConnections());
});
