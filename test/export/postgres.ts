// A real PostgreSQL for tests and benchmarks: a cluster of its own in a temporary folder, on a free port, ended on every way out.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";

/** A running server. Everybody on this machine may log in as `postgres`, without a password. */
export interface Postgres {
  readonly port: number;
  /** `postgres://...`, over TCP. */
  readonly url: string;
  /** The program of that name that belongs to the server, such as `psql`. */
  program(name: string): string;
  end(): Promise<void>;
}

const START_LIMIT_MS = 60_000;

/** Runs the server until its own input ends, which it also does when whoever started it is killed. SIGINT closes open connections. */
const KEEPER = '"$@" & server=$!; read -r _; kill -INT $server; wait $server; rm -rf "$0"';

/** Starts a server with an empty database. Throws where there is no PostgreSQL. */
export async function startPostgres(): Promise<Postgres> {
  const bin = findBin();
  const user = serverUser();
  const folder = mkdtempSync(join(tmpdir(), "tailrace-postgres-"));
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const port = await freePort();
  let child: ChildProcess | undefined;
  const end = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null) {
      const exited = once(child, "exit");
      child.stdin?.end();
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const how = { ...user, cwd: folder, stdio: "ignore" } as const;
    const init = ["-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"];
    execFileSync(join(bin, "initdb"), init, how);
    // Nothing here has to outlive the machine; the unused parts of a server would only take the cores of others.
    const settings = ["fsync=off", "autovacuum=off", "max_wal_senders=0", "wal_level=minimal"];
    const flags = [...settings, `unix_socket_directories=${folder}`, "listen_addresses=127.0.0.1", `port=${port}`];
    const args = [folder, join(bin, "postgres"), "-D", data, ...flags.flatMap((flag) => ["-c", flag])];
    child = spawn("sh", ["-c", KEEPER, ...args], { ...how, stdio: ["pipe", "ignore", "ignore"] });
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    await answering(child, url);
    return { port, url, program: (name) => join(bin, name), end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function answering(child: ChildProcess, url: string): Promise<void> {
  for (const until = performance.now() + START_LIMIT_MS; ;) {
    const client = new Client(url);
    client.on("error", () => undefined);
    const isUp = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end();
    if (isUp) return;
    if (child.exitCode !== null || performance.now() > until) throw new Error("PostgreSQL did not start.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The folder of the newest server's programs. */
function findBin(): string {
  const told = process.env["TAILRACE_POSTGRES"];
  if (told !== undefined) return dirname(realpathSync(told)); // a link to it has no initdb beside it
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const bins = [...versions.map((version) => join(debian, version, "bin")), "/opt/homebrew/bin", "/usr/local/bin"];
  const bin = bins.find((path) => existsSync(join(path, "postgres")));
  if (bin === undefined) {
    throw new Error("There is no PostgreSQL on this machine: install it, or name its `postgres` in TAILRACE_POSTGRES.");
  }
  return bin;
}

/** PostgreSQL refuses to run as root: the user that its package has made does it then. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
