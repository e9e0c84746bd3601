import { createHash } from "node:crypto";
import { constants, deflateSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openReplies } from "../reply/open-replies.ts";
import { encode, problemOf, post, upper } from "./transform.test-support.ts";
import { transform } from "./transform.ts";

afterEach(() => {
  if (openReplies().size > 0) throw new Error("A reply is still counted as open.");
  vi.restoreAllMocks();
});

describe("transform() of coded bodies", () => {
  const run = (body: Uint8Array, coding: string, options: object = {}): Promise<Response> => {
    const parts = [body.subarray(0, 5), body.subarray(5)];
    return transform(post(parts, { "content-encoding": coding }), (bytes) => bytes, options);
  };

  test.each([
    ["gzip", gzipSync("héllo")],
    ["x-gzip", gzipSync("héllo")],
    ["GZIP", gzipSync("héllo")],
    ["deflate", deflateSync("héllo")],
    ["identity", encode("héllo")],
  ])("transform() undoes %s", async (coding, body) => {
    expect(await (await run(body, coding)).text()).toBe("héllo");
  });

  test("transform() checks length and digest of what was sent", async () => {
    const body = gzipSync("hello");
    const sha256 = createHash("sha256").update(body).digest("base64");
    const headers = {
      "content-encoding": "gzip",
      "content-length": String(body.length),
      "content-digest": `sha-256=:${sha256}:`,
    };
    expect(await (await transform(post([body], headers), upper, { as: "text" })).text()).toBe("HELLO");
    expect(
      await problemOf(await transform(post([body], { ...headers, "content-length": "9999" }), upper, { as: "text" })),
    ).toBe("400 truncated");
  });

  test("transform() takes maxDecodedBytes, and not one byte more", async () => {
    const body = gzipSync("x".repeat(1_000));
    expect((await (await run(body, "gzip", { maxDecodedBytes: 1_000 })).text()).length).toBe(1_000);
    expect(await problemOf(await run(body, "gzip", { maxDecodedBytes: 999 }))).toBe("413 limit_exceeded");
    // What a plain body may not have, a coded one may not become.
    expect(await problemOf(await run(body, "gzip", { maxBytes: 999 }))).toBe("413 limit_exceeded");
  });

  test("transform() refuses a bomb, and lets anything below 1 MiB pass", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000), { level: constants.Z_BEST_COMPRESSION });
    const drop = (): undefined => undefined;
    expect(await problemOf(await transform(post([bomb], { "content-encoding": "gzip" }), drop))).toBe(
      "413 limit_exceeded",
    );
    const small = gzipSync(Buffer.alloc(1_048_576));
    expect(small.length * 200).toBeLessThan(1_048_576);
    expect((await (await run(small, "gzip")).bytes()).length).toBe(1_048_576);
    expect(
      await problemOf(await transform(post([gzipSync(Buffer.alloc(1_048_577))], { "content-encoding": "gzip" }), drop)),
    ).toBe("413 limit_exceeded");
  });

  test("transform() takes a body at maxExpansionRatio, and not one above it", async () => {
    const plain = Buffer.alloc(2_000_000);
    const body = gzipSync(plain);
    const ratio = plain.length / body.length;
    const drop = (): undefined => undefined;
    const run = (maxExpansionRatio: number): Promise<Response> =>
      transform(post([body], { "content-encoding": "gzip" }), drop, { maxExpansionRatio });
    expect((await run(ratio)).status).toBe(200);
    expect(await problemOf(await run(ratio - 0.001))).toBe("413 limit_exceeded");
  });

  test("transform() cuts a bomb that shows after the first byte", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const onError = vi.fn<() => void>();
    const response = await run(bomb, "gzip", { onError });
    expect(response.status).toBe(200);
    await expect(response.bytes()).rejects.toMatchObject({ code: "limit_exceeded" });
    expect(onError).toHaveBeenCalledOnce();
  });
});
