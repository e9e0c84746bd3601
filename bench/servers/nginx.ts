// A real nginx over the benchmark's folder: the floor, as the kernel sends the file itself (sendfile).

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunningServer } from "./fleet.ts";

const CANDIDATES = [process.env["TAILRACE_NGINX"], "/usr/sbin/nginx", "/usr/bin/nginx"];
const START_LIMIT_MS = 5_000;

export interface RunningNginx extends RunningServer {
  end(): Promise<void>;
}

/** Starts one process that serves `root`; undefined where there is no nginx or its CPU time cannot be read. */
export async function startNginx(root: string): Promise<RunningNginx | undefined> {
  const binary = CANDIDATES.find((path) => path !== undefined && existsSync(path));
  if (binary === undefined || process.platform !== "linux") return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tailrace-bench-nginx-"));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (each) => `${each}_temp_path ${join(folder, each)};`,
  );
  const config = join(folder, "nginx.conf");
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${join(folder, "pid")}; error_log ${join(folder, "error.log")};
events {}
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${temporary.join(" ")}
server { listen 127.0.0.1:${port}; root ${root}; } }
`,
  );
  const child = spawn(binary, ["-p", folder, "-c", config], { stdio: "ignore" });
  const kill = (): void => void child.kill("SIGKILL");
  process.on("exit", kill);
  const end = async (): Promise<void> => {
    process.off("exit", kill);
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answering(child, port);
  } catch (error) {
    await end();
    throw error;
  }
  return { port, cpuUs: () => Promise.resolve(cpuUsOf(child)), end };
}

async function answering(child: ChildProcess, port: number): Promise<void> {
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    const ok = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (ok) return;
    if (child.exitCode !== null || performance.now() > until) throw new Error("nginx did not start.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The kernel's own account of a process of one thread: nanoseconds on a CPU. */
function cpuUsOf(child: ChildProcess): number {
  const [nanoseconds = "0"] = readFileSync(`/proc/${child.pid}/schedstat`, "latin1").split(" ");
  return Number(nanoseconds) / 1_000;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
