// The rows of the chat's matrix on Next.js: the demo's own routes, in one process and in two that share a store.

import type { Host } from "../chat/hosts.ts";
import { chatMatrix } from "../chat/matrix.ts";
import { Demo, type Shared } from "./demo.ts";

async function startDemo(modelUrl: string, shared: Shared | undefined): Promise<Host> {
  const environment = { OPENAI_BASE_URL: modelUrl, OPENAI_API_KEY: "test", OPENAI_MODEL: "m" };
  const demo = await Demo.start(environment, shared);
  const [first, second = first] = demo.instances;
  return {
    one: first!.url,
    two: second!.url,
    async crash() {
      await first!.end("SIGKILL");
      await first!.start();
    },
    end: () => demo.remove(),
  };
}

const ROWS: readonly (readonly [name: string, shared: Shared | undefined])[] = [
  ["Next.js, one process", undefined],
  ["Next.js, two processes with one SQLite file", "sqlite"],
  ["Next.js, two processes with one Redis", "redis"],
];

// The demo waits for a silent model as long as its readers would: longer than a test.
for (const [name, shared] of ROWS) chatMatrix(name, (url) => startDemo(url, shared), { silences: [] });
