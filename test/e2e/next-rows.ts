// A Next.js app of one route: the files of the rows of RFC 9110 with every method that has rows. Made, built and started here,
// because the demo's files have all validators and its routes take GET and HEAD.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { FILE_BYTES } from "../files/range-rows.ts";
import { ROW_STATES } from "../files/row-checks.ts";
import { freePort } from "./demo.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const NEXT = join(ROOT, "node_modules/next/dist/bin/next");
const START_MS = 120_000;

const FILES: Readonly<Record<string, string>> = {
  "next.config.mjs": `export default { turbopack: { root: ${JSON.stringify(ROOT)} }, poweredByHeader: false };`,
  "instrumentation.js": `
    export async function register() {
      if (process.env.NEXT_RUNTIME === "nodejs") (await import("tailrace/next")).keepContentLength();
    }`,
  "app/layout.js": "export default ({ children }) => <html lang='en'><body>{children}</body></html>;",
  "app/[state]/route.js": `
    import { file } from "tailrace";
    const BYTES = Uint8Array.from({ length: ${FILE_BYTES} }, (_, index) => (index * 7) % 251);
    const STATES = ${JSON.stringify(ROW_STATES)};
    async function answer(request, { params }) {
      const options = STATES[(await params).state.replace("-", " ")];
      return file(request, options === undefined ? new Uint8Array(0) : BYTES, { ...options, type: "text/plain" });
    }
    export { answer as GET, answer as HEAD, answer as POST, answer as PUT };`,
};

/** The app, running. */
export interface RowsApp {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startRowsApp(): Promise<RowsApp> {
  // Inside the repository, so that the package and Next.js resolve; git ignores it.
  await mkdir(join(ROOT, ".tailrace"), { recursive: true });
  const folder = await mkdtemp(join(ROOT, ".tailrace", "next-rows-"));
  const env = { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" } as NodeJS.ProcessEnv;
  try {
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(join(folder, name, ".."), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    await promisify(execFile)(process.execPath, [NEXT, "build", folder], { cwd: ROOT, env });
    const port = await freePort();
    const args = [NEXT, "start", folder, "-p", String(port), "-H", "127.0.0.1"];
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: "ignore" });
    const stop = async (): Promise<void> => {
      const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    };
    const until = performance.now() + START_MS;
    while (
      !(await fetch(`http://127.0.0.1:${port}/strong`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (child.exitCode !== null || performance.now() > until) {
        await stop();
        throw new Error("The app of the rows did not start.");
      }
      await new Promise((done) => setTimeout(done, 50));
    }
    return { port, stop };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
