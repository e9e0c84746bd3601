// openStream over NDJSON that announces an end record: what is an end, what is a cut.

import { describe, expect, test } from "vitest";
import { encodeRowsEnd } from "../wire/ndjson-end.ts";
import { openStream } from "./open.ts";
import { bodyOf, scriptedFetch } from "./scripted-fetch.test-support.ts";
import type { OpenOptions, StreamConnection } from "./stream-types.ts";

const answer = (body: ReadableStream<Uint8Array<ArrayBuffer>> | string, announce = "end-record"): Response =>
  new Response(body, { headers: { "content-type": "application/x-ndjson", "tailrace-rows": announce } });

async function read(stream: StreamConnection<unknown>): Promise<{ rows: unknown[]; thrown: unknown }> {
  const rows: unknown[] = [];
  try {
    for await (const { data } of stream) rows.push(data);
    return { rows, thrown: undefined };
  } catch (thrown) {
    return { rows, thrown };
  }
}

const open = (make: () => Response, options: OpenOptions = {}): StreamConnection<unknown> =>
  openStream("/rows", { fetch: scriptedFetch(make).fetch, ...options });

describe("openStream on rows with an end record", () => {
  test("ends with the record, which is no item, however the header is written", async () => {
    for (const header of ["end-record", "something, End-Record "]) {
      const stream = open(() => answer(`1\n2\n${encodeRowsEnd({ reason: "stopped", rows: 2 })}`, header));
      expect(await read(stream)).toEqual({ rows: [1, 2], thrown: undefined });
      expect(stream.state).toMatchObject({ status: "done", end: { reason: "stopped" } });
    }
  });

  test("fails with the record of a failure, also when the cut comes behind it", async () => {
    const record = encodeRowsEnd({ reason: "failed", code: "source_failed", rows: 1 });
    const stream = open(() => answer(bodyOf([`1\n${record}`], "break")));
    expect(await read(stream)).toMatchObject({
      rows: [1],
      thrown: { code: "source_failed", details: { reason: "failed", code: "source_failed" } },
    });
    expect(stream.state.end).toMatchObject({ reason: "failed", code: "source_failed" });
  });

  test("takes a body that closes without the record for a cut, and a half row too", async () => {
    for (const body of ["1\n2\n", "1\n2\n3"]) {
      for (const options of [{}, { endsOnClose: true }]) {
        const { rows, thrown } = await read(open(() => answer(body), options));
        expect(rows).toEqual([1, 2]);
        expect(thrown).toMatchObject({ code: "truncated" });
      }
    }
    const lost = await read(open(() => answer(`1\n${encodeRowsEnd({ reason: "completed", rows: 2 })}`)));
    expect(lost).toMatchObject({ rows: [1], thrown: { code: "truncated" } });
  });

  test("comes back after such a cut when no row was given yet", async () => {
    const { fetch, calls } = scriptedFetch((_call, attempt) =>
      answer(attempt === 1 ? "\n" : `1\n${encodeRowsEnd({ reason: "completed", rows: 1 })}`),
    );
    expect(await read(openStream("/rows", { fetch, minDelayMs: 1, maxDelayMs: 1 }))).toEqual({
      rows: [1],
      thrown: undefined,
    });
    expect(calls).toHaveLength(2);
  });

  test("changes nothing without the header", async () => {
    for (const header of ["", "end-recorder"]) {
      const { rows, thrown } = await read(open(() => answer('1\n{"$end":{"reason":"failed","rows":1}}\n', header)));
      expect(rows).toEqual([1, { $end: { reason: "failed", rows: 1 } }]);
      expect(thrown).toBeUndefined();
    }
  });
});
