// What can be given to relay as the upstream, and what of it may be asked.

import { describe, expect, test } from "vitest";
import { relay } from "../../src/flow/relay.ts";
import type { RelayFetch } from "../../src/flow/relay-options.ts";
import { pullOf } from "../../src/reply/reply.ts";

describe("relay of a Response", () => {
  test("relay passes on what a function gets, and gives it a signal", async () => {
    const controller = new AbortController();
    const request = new Request("http://x/", { signal: controller.signal });
    let given: AbortSignal | undefined;
    const response = await relay(request, ({ signal }) => {
      given = signal;
      return Promise.resolve(
        new Response("body", { status: 201, headers: { connection: "x-a", "x-a": "1", "x-b": "2" } }),
      );
    });
    expect([response.status, response.headers.get("x-a"), response.headers.get("x-b")]).toEqual([201, null, "2"]);
    expect(given?.aborted).toBe(false);
    controller.abort();
    expect(given?.aborted).toBe(true);
  });

  test("relay answers 502 for a function that throws, at once or later, without its words", async () => {
    for (const upstream of [
      () => Promise.reject(new Error("secret 10.0.0.7")),
      (): Promise<Response> => {
        throw new Error("secret 10.0.0.7");
      },
    ]) {
      const told: unknown[] = [];
      const response = await relay(new Request("http://x/"), upstream, { onError: (error) => void told.push(error) });
      expect(response.status).toBe(502);
      expect(await response.text()).not.toContain("secret");
      expect(told).toMatchObject([{ code: "upstream_failed", cause: { message: "secret 10.0.0.7" } }]);
    }
  });

  test("relay lets go of a body that comes when the client has left", async () => {
    const controller = new AbortController();
    const answer = Promise.withResolvers<Response>();
    const request = new Request("http://x/", { signal: controller.signal });
    const relayed = relay(request, () => answer.promise);
    controller.abort();
    expect((await relayed).status).toBe(499);
    const cancelled = Promise.withResolvers<void>();
    answer.resolve(new Response(new ReadableStream({ cancel: () => cancelled.resolve() })));
    await cancelled.promise;
  });

  test("relay takes a Response, and refuses one that was read", async () => {
    const response = await relay(new Request("http://x/"), new Response("abc"));
    expect(pullOf(response)).toBeDefined();
    expect(await response.text()).toBe("abc");
    const read = new Response("abc");
    await read.text();
    await expect(relay(new Request("http://x/"), read)).rejects.toMatchObject({ code: "source_invalid" });
  });

  test("relay refuses what is no address, and what holds a password", async () => {
    for (const address of ["/path", "file:///etc/hostname", "http://user:pass@127.0.0.1/"]) {
      const response = await relay(new Request("http://x/"), address);
      expect(response.status).toBe(403);
      expect(await response.text()).not.toContain("pass");
    }
  });

  test("relay asks no origin that is not on the list", async () => {
    const allow = ["https://api.example"];
    const asked: string[] = [];
    const fetch: RelayFetch = (url) => {
      asked.push(url);
      return Promise.resolve(new Response(null, { status: 302, headers: { location: "https://api.example.evil/" } }));
    };
    expect((await relay(new Request("http://x/"), "https://api.example:8443/", { allow, fetch })).status).toBe(403);
    expect(asked).toEqual([]);
    expect((await relay(new Request("http://x/"), "https://api.example/a", { allow, fetch })).status).toBe(403);
    expect(asked).toEqual(["https://api.example/a"]);
  });

  test("relay leaves credentials behind on the way to another origin", async () => {
    const seen: (string | null)[][] = [];
    const fetch: RelayFetch = (url, { headers }) => {
      const sent = new Headers(headers);
      seen.push([url, sent.get("authorization"), sent.get("x-api-key"), sent.get("accept")]);
      const isFirst = url === "https://a.example/";
      return Promise.resolve(
        isFirst ? new Response(null, { status: 307, headers: { location: "https://b.example/" } }) : new Response("ok"),
      );
    };
    const request = new Request("http://x/", { headers: { accept: "text/x" } });
    const headers = { authorization: "Bearer t", "x-api-key": "k" };
    const response = await relay(request, "https://a.example/", {
      fetch,
      headers,
      allow: ["https://a.example", "https://b.example"],
    });
    expect(response.status).toBe(200);
    expect(seen).toEqual([
      ["https://a.example/", "Bearer t", "k", "text/x"],
      ["https://b.example/", null, null, "text/x"],
    ]);
  });
});
