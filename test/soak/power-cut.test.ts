// A power cut takes what was not synced, and only that.

import { describe, expect, test } from "vitest";
import { afterPowerCut, type Disk, type Files } from "./power-cut.ts";
import { Random } from "./random.ts";
import { readCalls, type FileCall } from "./syscalls.ts";

const SECTORS = 4;
const page = (text: string): Buffer => Buffer.from(text.repeat(512 * SECTORS));
let line = 0;
const next = (): { line: number; doneLine: number } => ({ line: ++line, doneLine: line });
const write = (at: number | "its end", bytes: Buffer): FileCall => ({
  is: "write",
  path: "/d/f",
  at,
  bytes,
  ...next(),
});
const sync = (path: string): FileCall => ({ is: "sync", path, ...next() });
const open = (): FileCall => ({ is: "open", path: "/d/f", mayMake: true, empties: false, ...next() });

/** What is left of the file in many cuts behind the last of `calls`. */
function outcomes(calls: readonly FileCall[], disk: Disk = "any", before: Files = new Map()): (string | undefined)[] {
  const last = calls.at(-1)!.line + 1;
  return Array.from({ length: 200 }, (_, seed) => {
    const content = afterPowerCut(before, calls, last, disk, new Random(String(seed))).get("/d/f");
    return content === undefined ? undefined : content.toString();
  });
}

describe("afterPowerCut()", () => {
  test("keeps what was synced, whatever else happens", () => {
    const calls = [open(), write(0, page("a")), sync("/d/f"), sync("/d"), write(512 * SECTORS, page("b"))];
    for (const left of outcomes(calls)) expect(left!.startsWith(page("a").toString())).toBe(true);
  });

  test("tears what was not synced at sectors, in any order", () => {
    const calls = [open(), write(0, page("a")), sync("/d/f"), sync("/d"), write(0, page("b"))];
    const shapes = outcomes(calls).map((left) =>
      Array.from({ length: SECTORS }, (_, sector) => new Set(left!.slice(sector * 512, sector * 512 + 512))),
    );
    for (const shape of shapes) for (const sector of shape) expect(sector.size).toBe(1);
    const seen = new Set(shapes.map((shape) => shape.map((sector) => [...sector][0]).join("")));
    expect(seen).toContain("aaaa");
    expect(seen).toContain("bbbb");
    expect([...seen].some((shape) => /ab/.test(shape) && /ba/.test(shape))).toBe(true);
  });

  test("loses a new name until its folder is synced", () => {
    const calls = [open(), write(0, page("a")), sync("/d/f")];
    const left = outcomes(calls);
    expect(left).toContain(undefined);
    expect(left).toContain(page("a").toString());
    expect(outcomes([...calls, sync("/d")])).not.toContain(undefined);
  });

  test("leaves a beginning of what was appended to a file that only grows", () => {
    const before: Files = new Map([["/d/f", Buffer.from("abc")]]);
    const left = outcomes(
      [write("its end", Buffer.from("def")), write("its end", Buffer.from("ghi"))],
      "growing",
      before,
    );
    for (const one of left) expect("abcdefghi".startsWith(one!)).toBe(true);
    expect(new Set(left).size).toBeGreaterThan(3);
  });

  test("takes no notice of what was done after the cut", () => {
    const calls = [open(), write(0, page("a")), sync("/d/f"), sync("/d")];
    const cut = calls.at(-1)!.line + 1;
    const all = [...calls, write(0, page("b")), sync("/d/f")];
    expect(afterPowerCut(new Map(), all, cut, "any", new Random("1")).get("/d/f")).toEqual(page("a"));
  });
});

const hex = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");

describe("readCalls()", () => {
  test("puts together calls that were interrupted by another thread's", () => {
    const log = [
      `7  openat(AT_FDCWD<${hex("/d")}>, "${hex("f")}", O_RDWR|O_CREAT, 0644) = 3<${hex("/d/f")}>`,
      `7  pwrite64(3<${hex("/d/f")}>, "${hex("abc")}", 3, 8 <unfinished ...>`,
      `8  fsync(3<${hex("/d/f")}>) = 0`,
      "7  <... pwrite64 resumed>) = 2",
      `8  rename("${hex("/d/f")}", "${hex("/d/g")}") = 0`,
      `7  write(4<${hex("/elsewhere")}>, "${hex("x")}", 1) = 1`,
      `7  fsync(3<${hex("/d/g")}>) = -1 EIO (Input/output error)`,
      `7  write(3<${hex("/d/g")}>, "${hex("z")}", 1 <unfinished ...>`,
      "7  +++ killed by SIGKILL +++",
    ].join("\n");
    expect(readCalls(log, "/d")).toEqual([
      { is: "open", path: "/d/f", mayMake: true, empties: false, line: 0, doneLine: 0 },
      { is: "write", path: "/d/f", at: 8, bytes: Buffer.from("ab"), line: 1, doneLine: 3 },
      { is: "sync", path: "/d/f", line: 2, doneLine: 2 },
      { is: "rename", path: "/d/f", to: "/d/g", line: 4, doneLine: 4 },
      { is: "write", path: "/d/g", at: "its end", bytes: Buffer.from("z"), line: 7, doneLine: Infinity },
    ]);
  });

  test("refuses a log with a call that it does not understand", () => {
    const log = `7  fallocate(3<${hex("/d/f")}>, 0, 0, 10) = 0`;
    expect(() => readCalls(log, "/d")).toThrow("not understood");
  });
});
