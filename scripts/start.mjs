// `npm start`: installs, builds and runs the demo in production mode, and says what it does meanwhile.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { NEXT_ENVIRONMENT } from "./build.mjs";
import { installedBin, run } from "./command.mjs";
import { checkPort, checkSettings } from "./preflight.mjs";
import { prepare } from "./prepare.mjs";
import { DEMO, ROOT } from "./project.mjs";
import { complain, main, say } from "./report.mjs";
import { supervise, watchParent } from "./supervise.mjs";

/** The demo's own look at its stores, before a server is started over them. */
const DEMO_PREFLIGHT = path.join(DEMO, "preflight.ts");
const HEALTH_POLL_MS = 100;
const HEALTH_ANSWER_MS = 2_000;
/** After this long without a healthy answer the reader is told what is answered instead; once. */
const HEALTH_PATIENCE_MS = 30_000;

await main(async () => {
  const forgetParent = watchParent(() => process.kill(process.pid, "SIGTERM"));
  const settings = await checkSettings();
  const node = await prepare("demo");
  const { host, port, dataDir } = settings;
  const environment = {
    ...process.env,
    ...NEXT_ENVIRONMENT,
    HOST: host,
    PORT: String(port),
    DATA_DIR: dataDir,
  };

  if (existsSync(DEMO_PREFLIGHT)) {
    const { code } = await run(node, [DEMO_PREFLIGHT], { env: environment });
    if (code !== 0) return code;
  }
  // Once more: a first build takes long enough for someone else to take the port.
  await checkPort(host, port);
  forgetParent();

  say(`starting the demo (data in ${dataDir}) ...`);
  const watcher = pathToFileURL(path.join(ROOT, "scripts", "end-with-parent.mjs")).href;
  const next = [installedBin("next"), "start", "apps/demo", "-p", String(port), "-H", host];
  const child = spawn(node, ["--import", watcher, ...next], {
    cwd: ROOT,
    env: environment,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  const over = new AbortController();
  const announced = announce(addressOf(host, port), over.signal);
  const code = await supervise([{ name: "the server", child }]);
  over.abort();
  await announced;
  return code;
});

/**
 * Prints the address as soon as the demo is healthy.
 * @param {string} address
 * @param {AbortSignal} signal aborts when the server has ended
 */
async function announce(address, signal) {
  const startedAt = performance.now();
  let told = false;
  while (!signal.aborted) {
    const answer = await health(address, signal);
    if (answer === "200") {
      say(`Tailrace demo: ${address}`);
      return;
    }
    if (!told && performance.now() - startedAt > HEALTH_PATIENCE_MS) {
      told = true;
      complain(`tailrace: still not healthy after 30 s: GET ${address}/api/health gives ${answer}`);
    }
    await sleep(HEALTH_POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * @param {string} address
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the status, or why there is none
 */
async function health(address, signal) {
  try {
    const response = await fetch(`${address}/api/health`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(HEALTH_ANSWER_MS)]),
    });
    await response.body?.cancel();
    return String(response.status);
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/**
 * Where a browser on this machine reaches the demo.
 * @param {string} host
 * @param {number} port
 */
function addressOf(host, port) {
  if (host === "0.0.0.0" || host === "::") return `http://127.0.0.1:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
