// relay on node:http, over the platform's fetch and over guardedFetch: the table of cases.

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { relay } from "../../src/flow/relay.ts";
import type { RelayFetch, RelayOptions } from "../../src/flow/relay-options.ts";
import { guardedFetch } from "../../src/node/guarded-fetch.ts";
import { createListener } from "../../src/node/listener.ts";
import { type ScriptedUpstream, startUpstream } from "./raw-http.ts";
import { CASES } from "./relay-cases.ts";
import { play } from "./relay-play.ts";

let upstream: ScriptedUpstream;
let server: Server;
let port: number;
let options: RelayOptions;
let fetch: RelayFetch | undefined;

beforeAll(async () => {
  upstream = await startUpstream();
  server = createServer(
    createListener((request) => {
      const { pathname, search } = new URL(request.url);
      return relay(request, upstream.origin + pathname + search, { onError: () => undefined, fetch, ...options });
    }),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await upstream.close();
});

describe.each(["the platform's fetch", "guardedFetch"])("relay over %s", (name) => {
  beforeAll(() => {
    fetch = name === "guardedFetch" ? guardedFetch({ allowPrivate: [new URL(upstream.origin).host] }) : undefined;
  });
  test.each(CASES.map((each) => [each.name, each] as const))("relay: %s", async (_name, each) => {
    options = each.options ?? {};
    const outcome = await play(each, port, upstream);
    const complaints = each.complaints(outcome);
    if (fetch === undefined && each.notOverFetch !== undefined) expect(complaints).not.toEqual([]);
    else expect(complaints).toEqual([]);
  });
});
