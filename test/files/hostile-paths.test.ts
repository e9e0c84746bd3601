// Some 250 paths that want out of the folder, over the wire and as a framework would decode them.

import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { folder } from "../../src/node/folder.ts";
import { exchange, startWireServer, type WireServer } from "./wire.ts";

const SECRET = "SECRET-OUTSIDE";
const HIDDEN = "HIDDEN-INSIDE";

let base: string;
let root: string;
let wire: WireServer;

beforeAll(async () => {
  base = await realpath(mkdtempSync(join(tmpdir(), "tailrace-hostile-")));
  root = join(base, "public");
  await mkdir(join(root, "sub"), { recursive: true });
  await mkdir(join(root, ".git"));
  await mkdir(join(base, "public-private"));
  for (const name of ["secret.txt", "public-private/secret.txt", "package.json", ".env"]) {
    await writeFile(join(base, name), SECRET);
  }
  for (const name of [".env", ".git/config", ".htpasswd"]) await writeFile(join(root, name), HIDDEN);
  for (const name of ["a.txt", "sub/b.txt"]) await writeFile(join(root, name), "fine");
  await symlink("../secret.txt", join(root, "out"));
  await symlink("..", join(root, "up"));
  await symlink("/", join(root, "slash"));
  await symlink("../public-private", join(root, "sibling"));
  await symlink("out", join(root, "out-again"));
  await symlink(".env", join(root, "shown"));
  wire = await startWireServer((request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/segments/")) return folder(request, root, pathname.slice(10).split("/").map(decode));
    return folder(request, root, decode(pathname.slice(1)));
  });
});
afterAll(async () => {
  await wire.close();
  rmSync(base, { recursive: true, force: true });
});

/** As frameworks do: once, and what cannot be decoded stays. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const DOTS = [
  "..",
  "%2e%2e",
  "%2e.",
  ".%2e",
  "%2E%2E",
  "%252e%252e",
  "%c0%ae%c0%ae",
  "%e0%80%ae%e0%80%ae",
  "..;",
  "..%00",
  "...",
  ". .",
  "%uff0e%uff0e",
  "．．",
];
const SLASHES = ["/", "%2f", "%2F", "%5c", "%5C", "\\", "%252f", "%255c", "//", "/./", "%c0%af", "%e2%88%95", "／"];
const TARGETS = ["secret.txt", "public-private/secret.txt"];

/** What a client writes into the request line. */
const PATHS: readonly string[] = [
  ...DOTS.flatMap((dots) => SLASHES.map((slash) => `${dots}${slash}secret.txt`)),
  ...SLASHES.flatMap((slash) => TARGETS.map((target) => `sub${slash}..${slash}..${slash}${target}`)),
  ...SLASHES.map((slash) => `sub/%2e%2e${slash}%2e%2e${slash}%2e%2e${slash}etc${slash}passwd`),
  ...[
    "out",
    "out-again",
    "up/secret.txt",
    "up/public-private/secret.txt",
    "slash/etc/passwd",
    "sibling/secret.txt",
    "up/public/a.txt/../../secret.txt",
  ],
  ...["/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "file:///etc/passwd", "%00/etc/passwd", "slash%2fetc%2fpasswd"],
  ...[
    ".env",
    "%2eenv",
    ".git/config",
    "%2egit/config",
    ".git%2fconfig",
    "sub/../.env",
    ".htpasswd",
    "shown",
    "./.env",
    ".env.",
    ".ENV",
    "sub/%2e%2e/.env",
  ],
  ...["a.txt%00", "a.txt%00.png", "%00a.txt", "a.txt%0d%0aset-cookie:x", "a.txt%0a", "a.txt%7f", "a.txt%09"],
  ...["a.txt.", "a.txt%20", "a.txt...", "a.txt%20.", "%20a.txt", "sub./b.txt", "sub%20/b.txt"],
  ...[
    "a.txt::$DATA",
    "a.txt:stream",
    "C:/secret.txt",
    "C:secret.txt",
    "c%3a%5csecret.txt",
    "a.txt%3a%3a$DATA",
    "\\\\host\\share",
    "%5c%5chost%5cshare",
    "\\\\?\\C:\\x",
  ],
  ...[
    "CON",
    "con",
    "PRN",
    "AUX",
    "NUL",
    "nul.txt",
    "aux.tar.gz",
    "COM1",
    "com9.txt",
    "LPT1",
    "lpt%C2%B9",
    "CONIN$",
    "CONOUT$",
    "CLOCK$",
    "COM0",
    "nul%20",
    "nul%20.txt",
    "sub/CON",
  ],
  ...["a.txt/", "a.txt//", "sub//b.txt", "//a.txt", "a.txt/.", "a.txt/..", "./a.txt", "sub/./b.txt", "sub/../a.txt"],
  ...[
    "x".repeat(256),
    "x".repeat(5_000),
    "%E2%82%AC".repeat(86),
    "x/".repeat(100),
    "../".repeat(100),
    "a*",
    "a?.txt".replace("?", "%3f"),
    "%22a.txt%22",
    "a%7ctxt",
    "%3ca.txt%3e",
  ],
  ...["%", "%2", "%zz", "%ff", "%ed%a0%80", "%f0%9f", "%80"],
  ...["secret.txt", "public-private/secret.txt", "package.json", "..", "%2e%2e", ".", "..%2f", "%2e%2e%2f"],
];

test("there are more than 200", () => {
  expect(new Set(PATHS).size).toBeGreaterThan(200);
});

describe.each(["", "segments/"])("over the wire, /%s", (prefix) => {
  test.each([...new Set(PATHS)].map((path) => [path.slice(0, 80), path] as const))("%s", async (_shown, path) => {
    // The URL parser resolves plain dots before a handler sees them: what it makes of them may be a fine name.
    const resolved = new URL(`http://x/${prefix}${path.replaceAll(/[^\u0021-\u007e]/gu, encodeURIComponent)}`).pathname;
    const isFine = new Set([`/${prefix}a.txt`, `/${prefix}sub/b.txt`]).has(resolved);
    const bytes = Buffer.from(`/${prefix}${path.replaceAll(" ", "%20")}`).toString("latin1");
    const { status, body, isWhole } = await exchange(wire.port, "GET", bytes);
    expect(body.toString()).not.toContain(SECRET);
    expect(body.toString()).not.toContain(HIDDEN);
    expect(body.toString()).not.toContain("root:");
    expect(isWhole).toBe(true);
    if (isFine) expect(status).toBe(200);
    else expect([400, 404]).toContain(status);
  });
});

test("given to folder() as they are, none is served", async () => {
  for (const path of new Set(PATHS.flatMap((each) => [each, decode(each), decode(decode(each))]))) {
    for (const form of [path, [path], path.split("/")]) {
      for (const options of [{}, { dotfiles: true }, { listing: true }] as const) {
        const response = await folder(new Request("http://x/"), root, form, options);
        const text = await response.text();
        expect([path, text.includes(SECRET), text.includes("root:")]).toEqual([path, false, false]);
        if (!("dotfiles" in options)) expect([path, text.includes(HIDDEN)]).toEqual([path, false]);
        expect([200, 404]).toContain(response.status);
      }
    }
  }
});
