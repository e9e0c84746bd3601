// @vitest-environment jsdom
import { afterEach, describe, expect, test, vi } from "vitest";
import { downloadNameOf, saveAs } from "./download-name.ts";

describe("downloadNameOf", () => {
  test.each<[string | null, string, string]>([
    [`attachment; filename="plain.txt"`, "/x", "plain.txt"],
    [`attachment; filename=token.txt`, "/x", "token.txt"],
    [`attachment; filename="a \\"b\\".txt"`, "/x", 'a "b".txt'],
    [`attachment; filename="_.txt"; filename*=UTF-8''na%C3%AFve.txt`, "/x", "naïve.txt"],
    [`attachment; filename*=UTF-8''%zz; filename="fallback.txt"`, "/x", "fallback.txt"],
    [`attachment; filename="../../etc/passwd"`, "/x", "passwd"],
    [`attachment; filename*=UTF-8''..%5Cwin.ini`, "/x", "win.ini"],
    ["inline", "https://host/a/b%20c.pdf?x=1#y", "b c.pdf"],
    [null, "https://host/a/100%.pdf", "100%.pdf"],
    [null, "https://host/a/", "download"],
  ])("downloadNameOf(%j, %j) gives %j", (disposition, url, name) => {
    expect(downloadNameOf(disposition, url)).toBe(name);
  });
});

describe("saveAs", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("saveAs() clicks a link with the name, and lets the Blob go after a minute", () => {
    vi.useFakeTimers();
    const revoked: string[] = [];
    vi.stubGlobal("URL", { createObjectURL: () => "blob:x", revokeObjectURL: (url: string) => revoked.push(url) });
    const clicked: string[] = [];
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      clicked.push(`${this.download} ${this.href}`);
    });
    saveAs(new Blob(["x"]), "a.txt");
    expect(clicked).toEqual(["a.txt blob:x"]);
    expect(document.querySelector("a")).toBeNull();
    vi.advanceTimersByTime(60_000);
    expect(revoked).toEqual(["blob:x"]);
    click.mockRestore();
  });
});
