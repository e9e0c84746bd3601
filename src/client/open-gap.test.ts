// openStream and gaps: told as an event, or as the comment of a UI message stream, and in its place among the items.

import { describe, expect, test } from "vitest";
import { openStream } from "./open.ts";
import { scriptedFetch, sseResponse } from "./scripted-fetch.test-support.ts";
import type { StreamItem } from "./stream-types.ts";

const GAP = { asked: "2", earliest: "5", latest: "9" };
const END = 'event: end\nid: 9~\ndata: {"reason":"completed"}\n\n';

async function read(body: string): Promise<{ readonly items: StreamItem<unknown>[]; readonly gap: unknown }> {
  const { fetch } = scriptedFetch(() => sseResponse(body));
  const stream = openStream("http://test/", { fetch, lastEventId: "2" });
  const items: StreamItem<unknown>[] = [];
  for await (const item of stream) items.push(item);
  return { items, gap: stream.state.gap };
}

describe("openStream and gaps", () => {
  test.each([
    ["an event", `event: gap\ndata: ${JSON.stringify(GAP)}\n\n`],
    ["the comment of a UI message stream", `: gap ${JSON.stringify(GAP)}\n\n`],
  ])("%s is an item before those behind it, and part of the state", async (_, told) => {
    const { items, gap } = await read(`${told}id: 6\ndata: 1\n\n${END}`);
    expect(items.map(({ event, data }) => [event, data])).toEqual([
      ["gap", GAP],
      ["message", 1],
    ]);
    expect(gap).toEqual(GAP);
  });

  test.each([": gap\n\n", ": gap in the road\n\n", ": gap {broken\n\n", ': gap {"wide":true}\n\n', ": gaps {}\n\n"])(
    "another comment is none: %j",
    async (comment) => {
      const { items, gap } = await read(`${comment}id: 6\ndata: 1\n\n${END}`);
      expect(items).toEqual([{ event: "message", data: 1, id: "6" }]);
      expect(gap).toBeNull();
    },
  );
});
