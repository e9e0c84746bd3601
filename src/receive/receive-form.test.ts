import { describe, expect, test } from "vitest";
import { form, latin1, part } from "./multipart.test-support.ts";
import { memorySink } from "./memory-sink.ts";
import { receive } from "./receive.ts";
import { receiveForm, type FormOptions } from "./receive-form.ts";
import { codeOf, post, watchedSink, type WatchedSink } from "./receive.test-support.ts";

const B = "xYz";
const FORM = { "content-type": `multipart/form-data; boundary=${B}` };
const file = (name: string, content: string): string => part("f", content, `; filename="${name}"`);

function check(
  body: string,
  options: Partial<FormOptions> = {},
): { readonly to: WatchedSink; readonly code: Promise<string | undefined> } {
  const to = watchedSink();
  return { to, code: codeOf(receiveForm(post(latin1(body), FORM), { to, ...options })) };
}

/** That a refused form leaves nothing, and a good one everything. */
async function expectCode(body: string, options: Partial<FormOptions>, code: string | undefined): Promise<void> {
  const { to, code: found } = check(body, options);
  expect(await found).toBe(code);
  if (code === undefined) return;
  expect(to.memory.files.size).toBe(0);
  expect(to.counts.opened).toBe(to.counts.aborted);
}

describe("receiveForm()", () => {
  test("receiveForm() gives files and fields in their order", async () => {
    const to = watchedSink();
    const body = form(
      B,
      part("a", "1"),
      file("x.txt", "content"),
      part("a", "\xC3\xBC"),
      file("../y.png", "\x89PNG\r\n\x1A\n"),
      file("", ""),
      part("b", ""),
    );
    const received = await receiveForm(post(latin1(body), FORM), { to });
    expect(received.files.map(({ name, field, bytes, type }) => [name, field, bytes, type])).toEqual([
      ["x.txt", "f", 7, "text/plain"],
      ["y.png", "f", 8, "image/png"],
    ]);
    expect([...received.fields]).toEqual([
      ["a", "1"],
      ["a", "ü"],
      ["b", ""],
    ]);
    expect(to.memory.files.size).toBe(2);
  });

  test("receiveForm() takes an empty file that has a name, and none without", async () => {
    const to = watchedSink();
    const { files } = await receiveForm(post(latin1(form(B, file("a", ""), file("", ""), file("", "x"))), FORM), {
      to,
    });
    expect(files.map(({ name, bytes }) => [name, bytes])).toEqual([
      ["a", 0],
      [undefined, 1],
    ]);
  });

  test.each<[string, string, Partial<FormOptions>, string, Partial<FormOptions>]>([
    ["maxParts", form(B, part("a", ""), part("b", "")), { maxParts: 2 }, "limit_exceeded", { maxParts: 1 }],
    ["maxFiles", form(B, file("a", "1"), file("b", "2")), { maxFiles: 2 }, "limit_exceeded", { maxFiles: 1 }],
    [
      "maxFiles of empty files",
      form(B, file("a", ""), file("b", "")),
      { maxFiles: 2 },
      "limit_exceeded",
      { maxFiles: 1 },
    ],
    ["maxFileBytes", form(B, file("a", "12345")), { maxFileBytes: 5 }, "limit_exceeded", { maxFileBytes: 4 }],
    ["maxFieldBytes", form(B, part("a", "12345")), { maxFieldBytes: 5 }, "limit_exceeded", { maxFieldBytes: 4 }],
    [
      "maxHeaderBytes",
      form(B, part("a", "1")),
      { maxHeaderBytes: part("a", "").length },
      "limit_exceeded",
      { maxHeaderBytes: part("a", "").length - 1 },
    ],
    [
      "maxTotalBytes",
      form(B, file("a", "1")),
      { maxTotalBytes: form(B, file("a", "1")).length },
      "limit_exceeded",
      { maxTotalBytes: form(B, file("a", "1")).length - 1 },
    ],
  ])("receiveForm() keeps %s: at it, and one past", async (_title, body, at, code, past) => {
    await expectCode(body, at, undefined);
    await expectCode(body, past, code);
  });

  test("receiveForm() keeps none of the files when the form breaks off, at whatever byte", async () => {
    const body = form(B, file("a", "x".repeat(600)), file("b", "y"));
    for (let end = 0; end < body.length - 2; end += 3) await expectCode(body.slice(0, end), {}, "truncated");
  });

  test("receiveForm() removes what was committed when a later commit fails", async () => {
    const to = watchedSink();
    let commits = 0;
    const failing = {
      open: async (...args: Parameters<WatchedSink["open"]>) => {
        const inner = await to.open(...args);
        const commit: typeof inner.commit = (info) => {
          if (++commits === 2) return Promise.reject(new Error("no"));
          return inner.commit(info);
        };
        return { ...inner, commit };
      },
    };
    const work = receiveForm(post(latin1(form(B, file("a", "1"), file("b", "2"))), FORM), { to: failing });
    expect(await codeOf(work)).toBe("not ours: Error: no");
    expect(to.memory.files.size).toBe(0);
    expect(to.counts.aborted).toBe(2);
  });

  test.each<[string, string, string]>([
    ["a field that is not UTF-8", form(B, part("a", "\xFF")), "decode_failed"],
    ["a header that begins with a space", form(B, file("a", "1"), ` ${part("b", "2")}`), "decode_failed"],
    ["no final boundary", form(B, file("a", "1")).slice(0, -5), "truncated"],
  ])("receiveForm() refuses %s, and leaves nothing", async (_title, body, code) => {
    await expectCode(body, {}, code);
  });

  test("receiveForm() refuses a file of another type than those that are taken", async () => {
    await expectCode(form(B, file("a.png", "no picture")), { types: ["image/*"] }, "type_refused");
  });

  test("receiveForm() refuses a request that is no form", async () => {
    const work = receiveForm(post("x", { "content-type": "text/plain" }), { to: watchedSink() });
    await expect(work).rejects.toMatchObject({ code: "type_refused", status: 415 });
  });
});

describe("receive() of a form", () => {
  test("receive() takes the one file of a form, its name and its fields", async () => {
    const data = new FormData();
    data.append("note", "hi");
    data.append("f", new File(["content"], "ü.txt"));
    const to = memorySink();
    const received = await receive(new Request("http://localhost/", { method: "POST", body: data }), { to });
    expect(received).toMatchObject({ name: "ü.txt", bytes: 7, type: "text/plain" });
    expect(received).not.toHaveProperty("field");
    expect(received.fields.get("note")).toBe("hi");
    expect(to.files.has(received.id)).toBe(true);
  });

  test.each<[string, (data: FormData) => void, string]>([
    ["no file", (data) => data.append("a", "1"), "input_invalid"],
    ["two files", (data) => ["1", "2"].forEach((name) => data.append("f", new File(["x"], name))), "limit_exceeded"],
    ["a file over maxBytes", (data) => data.append("f", new File(["x".repeat(101)], "a")), "limit_exceeded"],
  ])("receive() refuses a form with %s, and leaves nothing", async (_title, fill, code) => {
    const data = new FormData();
    fill(data);
    const to = watchedSink();
    const request = new Request("http://localhost/", { method: "POST", body: data });
    expect(await codeOf(receive(request, { to, maxBytes: 100 }))).toBe(code);
    expect(to.memory.files.size).toBe(0);
    expect(to.counts.opened).toBe(to.counts.aborted);
  });
});
