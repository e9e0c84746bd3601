// A job that survives its readers, on srvx: POST starts it or joins it, GET follows it, DELETE stops it.

import { serve } from "srvx";
import { createStreams, problem, shutdown, sse, TailraceError } from "tailrace";
import { sqliteStore } from "tailrace/sqlite";

const streams = createStreams({ store: sqliteStore(`${process.env["DATA_DIR"] ?? "data"}/example.db`) });

async function* work(): AsyncGenerator<{ done: number }> {
  for (let done = 0; done <= 100; done += 10) {
    yield { done };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const server = serve({
  port: Number(process.env["PORT"] ?? 3000),
  hostname: "127.0.0.1",
  silent: true,
  gracefulShutdown: false, // ours below knows which streams can be resumed
  async fetch(request) {
    const name = new URL(request.url).pathname.slice(1); // as in /jobs/42
    if (!/^jobs\/\w{1,64}$/.test(name)) {
      return problem(new TailraceError("stream_unknown", "There are only jobs here, such as /jobs/42."));
    }
    if (request.method === "POST") return sse(request, await streams.run(name, work));
    if (request.method === "DELETE") return Response.json(await streams.stop(name));
    return sse(request, streams.follow(name));
  },
});
await server.ready();
console.log(server.url);

process.once("SIGTERM", () => {
  void shutdown({ streams: [streams] }).then(() => server.close(true));
});
