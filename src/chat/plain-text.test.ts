import { describe, expect, test } from "vitest";
import type { UiChunk } from "../wire/ui-chunks.ts";
import { fromText } from "./plain-text.ts";
import { expectValid, gather } from "../../test/upstream-codecs.ts";

const said = (chunks: readonly UiChunk[]): string =>
  chunks.map((chunk) => (chunk.type === "text-delta" ? chunk.delta : "")).join("");

describe("fromText()", () => {
  test("gives strings as one part", async () => {
    const { chunks } = await gather(fromText(["a", "", "b"]));
    expect(chunks).toEqual([
      { type: "text-start", id: "text-1" },
      { type: "text-delta", id: "text-1", delta: "a" },
      { type: "text-delta", id: "text-1", delta: "b" },
      { type: "text-end", id: "text-1" },
      { type: "finish", finishReason: "stop" },
    ]);
    await expectValid(chunks);
    expect((await gather(fromText([]))).chunks).toEqual([{ type: "finish", finishReason: "stop" }]);
    expect(said((await gather(fromText("one string"))).chunks)).toBe("one string");
  });

  test("decodes bytes in any split", async () => {
    const bytes = new TextEncoder().encode("grüße 😀\n");
    for (let cut = 0; cut <= bytes.length; cut++) {
      async function* pieces(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, cut);
        yield bytes.subarray(cut);
      }
      expect(said((await gather(fromText(pieces()))).chunks)).toBe("grüße 😀\n");
    }
    expect(said((await gather(fromText(new Response(bytes)))).chunks)).toBe("grüße 😀\n");
  });

  test("throws what the source throws, classified, behind what was said", async () => {
    async function* broken(): AsyncGenerator<string> {
      yield "a";
      throw new TypeError("terminated");
    }
    const { chunks, error } = await gather(fromText(broken()));
    expect(said(chunks)).toBe("a");
    expect(error).toMatchObject({ code: "upstream_failed", details: { kind: "network" } });
  });

  test("tells an abort as it is", async () => {
    const reason = new DOMException("stopped", "AbortError");
    const body = new ReadableStream<string>({ pull: (controller) => controller.error(reason) });
    expect((await gather(fromText(body))).error).toBe(reason);
  });
});
