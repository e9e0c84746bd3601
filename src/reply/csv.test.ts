import { describe, expect, test } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { createStreams } from "../log/streams.ts";
import { csvBytes } from "./csv-bytes.ts";
import { csv } from "./csv.ts";
import { ndjson } from "./rows.ts";

const GET = new Request("http://x/");

function* failing(): Generator<readonly unknown[]> {
  yield [1];
  throw new Error("lost");
}

/** The chunks that came, and what ended them. */
async function drain(response: Response): Promise<{ readonly text: string; readonly error: unknown }> {
  let text = "";
  try {
    for await (const chunk of response.body as ReadableStream<Uint8Array>) text += new TextDecoder().decode(chunk);
  } catch (error) {
    return { text, error };
  }
  return { text, error: undefined };
}

describe("csv", () => {
  test("writes objects and arrays, named columns or those of the first row", async () => {
    expect(await csv(GET, [{ a: 1, b: "x" }]).text()).toBe("a,b\r\n1,x\r\n");
    expect(await csv(GET, [[1, "x"]]).text()).toBe("1,x\r\n");
    expect(await csv(GET, [[1, "x"]], { columns: ["a", "b"] }).text()).toBe("a,b\r\n1,x\r\n");
    expect(await csv(GET, [] as object[], { columns: ["a"] }).text()).toBe("a\r\n");
    expect(await csv(GET, [] as object[]).text()).toBe("");
  });

  test("takes batches, empty ones too, of every kind of source", async () => {
    const batches = [[{ a: 1 }, { a: 2 }], [], [{ a: 3 }]];
    const wanted = "a\r\n1\r\n2\r\n3\r\n";
    async function* later(): AsyncGenerator<{ a: number }[]> {
      yield* batches;
    }
    const stream = new ReadableStream<{ a: number }[]>({
      start(controller) {
        for (const batch of batches) controller.enqueue(batch);
        controller.close();
      },
    });
    for (const source of [batches, later(), later, () => batches, stream]) {
      expect(await csv(GET, source, { batches: true }).text()).toBe(wanted);
    }
  });

  test("fails with source_invalid for a batch that is no array", async () => {
    const errors: unknown[] = [];
    const rows = [{ a: 1 }] as unknown as { a: number }[][];
    const { error } = await drain(csv(GET, rows, { batches: true, onError: (each) => errors.push(each) }));
    expect(error).toMatchObject({ code: "source_invalid" });
    expect(errors).toHaveLength(1);
  });

  test.each([
    [{}, "text/csv; charset=utf-8"],
    [{ header: false }, "text/csv; charset=utf-8; header=absent"],
    [{ columns: ["a"] }, "text/csv; charset=utf-8; header=present"],
    [{ columns: ["a"], header: false }, "text/csv; charset=utf-8; header=absent"],
  ])("with %j is of the type %s", (options, type) => {
    expect(csv(GET, [{ a: 1 }], options).headers.get("content-type")).toBe(type);
  });

  test("with a filename is an attachment, and guards formulas unless told not to", async () => {
    const rows = [{ a: "=1+1", b: -1 }];
    const guarded = csv(GET, rows, { filename: "Jürgen.csv" });
    expect(guarded.headers.get("content-disposition")).toBe(
      "attachment; filename=\"J_rgen.csv\"; filename*=UTF-8''J%C3%BCrgen.csv",
    );
    expect(await guarded.text()).toContain("'=1+1");
    expect(await csv(GET, rows).text()).toBe("a,b\r\n=1+1,-1\r\n");
    expect(await csv(GET, rows, { filename: "a.csv", guardFormulas: false }).text()).toBe("a,b\r\n=1+1,-1\r\n");
    const headers = { "content-disposition": 'attachment; filename="a.csv"' };
    expect(await csv(GET, rows, { headers }).text()).toContain("'=1+1");
    expect(await csv(GET, rows, { headers: { "content-disposition": "inline" } }).text()).toContain("\n=1+1");
  });

  test("sends the header before the source has answered", async () => {
    const response = csv(GET, () => new Promise<never>(() => undefined), { columns: ["a", "b"], bom: true });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).value).toEqual(new TextEncoder().encode("\uFEFFa,b\r\n"));
    await reader.cancel();
  });

  test("cuts the connection when the source fails, and tells onError", async () => {
    const errors: unknown[] = [];
    const { text, error } = await drain(csv(GET, failing(), { onError: (each) => errors.push(each) }));
    expect(text).toBe("1\r\n");
    expect(String(error)).toBe("Error: lost");
    expect(errors.map(String)).toEqual(["Error: lost"]);
  });

  test("never opens the source for a HEAD, and releases it when the reader leaves", async () => {
    let opened = 0;
    let released = 0;
    const rows = function* (): Generator<readonly number[]> {
      opened++;
      try {
        for (;;) yield [1];
      } finally {
        released++;
      }
    };
    const head = csv(new Request("http://x/", { method: "HEAD" }), rows, { filename: "a.csv" });
    expect([head.body, opened]).toEqual([null, 0]);
    const reader = (csv(GET, rows).body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.read();
    await reader.cancel();
    expect([opened, released]).toEqual([1, 1]);
  });

  test("writes a named stream, and answers 404 for one that is not there", async () => {
    const streams = createStreams({ store: memoryStore() });
    await streams.run("rows", function* () {
      yield { a: 1 };
      yield { a: 2 };
    });
    expect(await (await csv(GET, streams.follow<{ a: number }>("rows"))).text()).toBe("a\r\n1\r\n2\r\n");
    expect((await csv(GET, streams.follow("nothing"))).status).toBe(404);
    await streams.close();
  });

  test("throws for what can be no source and no delimiter", () => {
    expect(() => csv(GET, 5 as never)).toThrow(expect.objectContaining({ code: "source_invalid" }));
    expect(() => csv(GET, [], { delimiter: "ab" })).toThrow(expect.objectContaining({ code: "input_invalid" }));
  });
});

describe("csvBytes", () => {
  test("passes bytes on as they are, with the type and the name", async () => {
    const bytes = new TextEncoder().encode("a\n=1\n");
    const response = csvBytes(GET, [bytes.subarray(0, 3), bytes.subarray(3)], { filename: "a.csv", header: true });
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="a.csv"');
    expect(await response.text()).toBe("a\n=1\n");
    expect(csvBytes(GET, []).headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(csvBytes(GET, [], { header: false }).headers.get("content-type")).toMatch(/absent/);
  });

  test("cuts when the source fails, and throws for what can be none", async () => {
    const errors: unknown[] = [];
    const source = function* (): Generator<Uint8Array> {
      yield new Uint8Array([97]);
      throw new Error("lost");
    };
    const { text, error } = await drain(csvBytes(GET, source, { onError: (each) => errors.push(each) }));
    expect([text, String(error), errors.map(String)]).toEqual(["a", "Error: lost", ["Error: lost"]]);
    expect(() => csvBytes(GET, 5 as never)).toThrow(expect.objectContaining({ code: "source_invalid" }));
  });
});

describe("ndjson", () => {
  test("takes a filename and batches", async () => {
    const response = ndjson(GET, [[1, 2], [], [3]], { batches: true, filename: "rows.ndjson", endRecord: true });
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="rows.ndjson"');
    expect(await response.text()).toBe('1\n2\n3\n{"$end":{"reason":"completed","rows":3}}\n');
  });
});
