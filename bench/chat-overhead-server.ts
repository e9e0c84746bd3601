// The server of the chat benchmark: a model's stream to a reader, through a log or with nothing in between.
// Arguments: the model's address, then `direct`, `sqlite FILE` or `redis URL`.

import { createServer } from "node:http";
import { createStreams, sse, type Store } from "tailrace";
import { fromChatCompletions, type UiChunk, uiMessageStream } from "tailrace/chat";
import { createListener } from "tailrace/node";
import { sqliteStore } from "tailrace/sqlite";

const [model = "", kind = "", place = ""] = process.argv.slice(2);

/** How long the model's stream had to wait between an item that was taken and the next one that was asked for, in ms. */
let waits: number[] = [];

async function* ask(path: string, signal: AbortSignal): AsyncGenerator<UiChunk, void, undefined> {
  waits = [];
  const response = await fetch(model + path, { signal });
  for await (const chunk of fromChatCompletions(response)) {
    const before = performance.now();
    yield chunk;
    waits.push(performance.now() - before);
  }
}

async function storeOf(): Promise<Store | undefined> {
  if (kind === "sqlite") return sqliteStore(place);
  if (kind !== "redis") return undefined;
  const [{ Redis }, { redisStore }] = await Promise.all([import("ioredis"), import("tailrace/redis")]);
  return redisStore(new Redis(place));
}

const store = await storeOf();
const streams = store === undefined ? undefined : createStreams({ store });
await streams?.open();

const server = createServer(
  createListener(async (request) => {
    const path = new URL(request.url).pathname;
    if (path === "/waits") return Response.json(waits);
    if (streams === undefined) {
      const source = async function* ({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<object> {
        for await (const data of ask(path, signal)) yield { data };
      };
      return sse(request, source);
    }
    return uiMessageStream(request, await streams.run(crypto.randomUUID(), ({ signal }) => ask(path, signal)));
  }),
);
server.listen(0, "127.0.0.1");
