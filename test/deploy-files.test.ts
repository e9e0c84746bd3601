// The files of examples/deploy agree with each other, with the demo and with what docs/deploying.md says of them.

import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");
const compose = read("examples/deploy/compose.yaml");
const kubernetes = read("examples/deploy/kubernetes.yaml");
const nginx = read("examples/deploy/nginx.conf");
const dockerfile = read("examples/deploy/Dockerfile");
const page = read("docs/deploying.md");

/** A line of YAML as these files use it: a key with or without a value, an item of a list, or both. */
const LINE = /^(?: {2})*(?:- )*(?:(?:[\w./-]+|<<):(?: .+)?|(?:- ).*|[^\s:{}[\]][^:]*|fetch\(.*)$/;

/** The path of keys of each line that has a value, as `services.redis.image: redis:7`. */
function pathsOf(text: string): readonly string[] {
  const keys: { readonly indent: number; readonly key: string }[] = [];
  return linesOf(text).map((line) => {
    const [, spaces = "", key = "", value = ""] = /^((?: |- )*)([\w./-]+)?:?(.*)$/.exec(line) ?? [];
    while (keys.length > 0 && keys.at(-1)!.indent >= spaces.length) keys.pop();
    keys.push({ indent: spaces.length, key });
    return `${keys.map((each) => each.key).join(".")}:${value}`;
  });
}

const linesOf = (text: string): readonly string[] =>
  text.split("\n").filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));

describe.each([
  ["compose.yaml", compose],
  ["kubernetes.yaml", kubernetes],
])("%s", (_name, text) => {
  test("is laid out in steps of two spaces, each a key, an item or a mark between documents", () => {
    for (const line of linesOf(text)) if (line !== "---") expect(line).toMatch(LINE);
    let indent = 0;
    for (const line of linesOf(text)) {
      const next = line.search(/\S/);
      expect(next % 2, line).toBe(0);
      expect(next, line).toBeLessThanOrEqual(indent + 4); // below an item its keys are a step further in
      indent = next;
    }
    expect(text).not.toContain("\t");
  });
});

test("compose.yaml has two instances, one Redis that throws nothing away, and nginx with the configuration beside it", () => {
  const paths = pathsOf(compose);
  expect(paths).toEqual(expect.arrayContaining(["services.demo-1: *demo", "services.demo-2: *demo"]));
  expect(paths).toContain("x-demo.environment.REDIS_URL: redis://redis:6379");
  expect(compose).toContain('"--maxmemory-policy", "noeviction"');
  expect(compose).toContain("./nginx.conf:/etc/nginx/conf.d/default.conf:ro");
  for (const name of ["demo-1", "demo-2"]) expect(nginx).toContain(`server ${name}:3000 `);
});

test("kubernetes.yaml has a claim, a deployment, a service and an ingress that belong together", () => {
  const kinds = [...kubernetes.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);
  expect(kinds).toEqual(["PersistentVolumeClaim", "Deployment", "Service", "Ingress"]);
  const paths = pathsOf(kubernetes);
  expect(paths.filter((each) => each.endsWith(".app: tailrace"))).toHaveLength(3);
  expect(kubernetes).toContain("claimName: tailrace-data");
  expect(kubernetes).toContain('nginx.ingress.kubernetes.io/proxy-buffering: "off"');
  expect(kubernetes).toContain('nginx.ingress.kubernetes.io/proxy-request-buffering: "off"');
});

test("both give the server longer to end than it takes, and ask for the health that it has", () => {
  const graceMs = 3_000;
  const stopS = Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1]);
  const endS = Number(/terminationGracePeriodSeconds: (\d+)/.exec(kubernetes)?.[1]);
  const sleepS = Number(/preStop:\s+sleep:\s+seconds: (\d+)/.exec(kubernetes)?.[1]);
  expect(1_000 * stopS).toBeGreaterThan(2 * graceMs);
  expect(1_000 * (endS - sleepS)).toBeGreaterThan(2 * graceMs);
  expect(compose).toContain("/api/health");
  expect(kubernetes.match(/path: \/api\/health/g)).toHaveLength(2);
});

test("the image keeps its data where both mount it, and ends on the signal that it is sent", () => {
  expect(dockerfile).toContain("DATA_DIR=/data");
  expect(compose).toContain("- data:/data");
  expect(kubernetes).toContain("mountPath: /data");
  expect(dockerfile).toMatch(/exec node .*next start apps\/demo/);
});

test("docs/deploying.md shows the configuration of nginx as it is", () => {
  const shown = /```nginx\n([\s\S]*?)```/.exec(page)?.[1]?.trim().split("\n") ?? [];
  const lines = nginx.split("\n");
  expect(shown.length).toBeGreaterThan(15);
  for (const line of shown) expect(lines).toContain(line);
});
