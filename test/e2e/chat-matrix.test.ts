// The rows of the chat's matrix on Next.js: the demo's own routes, in one process and in two over the same data.

import type { Host } from "../chat/hosts.ts";
import { chatMatrix } from "../chat/matrix.ts";
import { Demo } from "./demo.ts";

async function startDemos(modelUrl: string, count: 1 | 2): Promise<Host> {
  const environment = { OPENAI_BASE_URL: modelUrl, OPENAI_API_KEY: "test", OPENAI_MODEL: "m" };
  const first = await Demo.start(environment);
  const second = count === 1 ? first : await Demo.start({ ...environment, DATA_DIR: first.dataDir });
  return {
    one: first.url,
    two: second.url,
    async crash() {
      await first.end("SIGKILL");
      await first.start();
    },
    async end() {
      if (second !== first) await second.remove();
      await first.remove();
    },
  };
}

// The demo waits for a silent model as long as its readers would: longer than a test.
chatMatrix("Next.js, one process", (url) => startDemos(url, 1), { noticesSilence: false });
chatMatrix("Next.js, two processes with one SQLite file", (url) => startDemos(url, 2), { noticesSilence: false });
