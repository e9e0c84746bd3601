// Provides the programs that the tests drive. On Debian as root they come from its packages; elsewhere they are found, or
// the one command that brings them is named. A test that lacks its program would prove nothing, so a lack is a failure.

import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { run } from "./command.mjs";
import { MODULES } from "./project.mjs";
import { Failure, complain, say, step } from "./report.mjs";

/**
 * @typedef {object} Need one program; a new one is a new row of {@link NEEDS}
 * @property {string} name as the reader knows it
 * @property {string} variable the environment variable that tells the tests its path; set by hand, it decides
 * @property {readonly string[]} commands its names on PATH, the preferred one first
 * @property {(() => readonly string[]) | undefined} [places] further places, absolute
 * @property {string} debianPackage
 * @property {string} elsewhere the one command that installs it on another system
 */

/** @type {readonly Need[]} */
export const NEEDS = [
  {
    name: "Chromium",
    variable: "TAILRACE_CHROMIUM",
    commands: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    places: playwrightChromium,
    debianPackage: "chromium",
    elsewhere: "npx playwright-core install --with-deps chromium",
  },
  {
    name: "curl",
    variable: "TAILRACE_CURL",
    commands: ["curl"],
    debianPackage: "curl",
    elsewhere: forSystem({ darwin: "brew install curl", linux: "sudo apt-get install -y curl" }),
  },
  {
    name: "wget",
    variable: "TAILRACE_WGET",
    commands: ["wget"],
    debianPackage: "wget",
    elsewhere: forSystem({ darwin: "brew install wget", linux: "sudo apt-get install -y wget" }),
  },
  {
    name: "aria2",
    variable: "TAILRACE_ARIA2",
    commands: ["aria2c"],
    debianPackage: "aria2",
    elsewhere: forSystem({ darwin: "brew install aria2", linux: "sudo apt-get install -y aria2" }),
  },
  {
    name: "nginx",
    variable: "TAILRACE_NGINX",
    commands: ["nginx"],
    // Not on the PATH of an ordinary user of Debian.
    places: () => ["/usr/sbin/nginx"],
    debianPackage: "nginx-light",
    elsewhere: forSystem({ darwin: "brew install nginx", linux: "sudo apt-get install -y nginx-light" }),
  },
  {
    name: "sqlite3",
    variable: "TAILRACE_SQLITE3",
    commands: ["sqlite3"],
    debianPackage: "sqlite3",
    elsewhere: forSystem({ darwin: "brew install sqlite", linux: "sudo apt-get install -y sqlite3" }),
  },
  {
    name: "Python 3",
    variable: "TAILRACE_PYTHON",
    commands: ["python3"],
    debianPackage: "python3",
    elsewhere: forSystem({ darwin: "brew install python", linux: "sudo apt-get install -y python3" }),
  },
  {
    name: "PostgreSQL",
    variable: "TAILRACE_POSTGRES",
    // The server itself; initdb and psql lie beside it.
    commands: ["postgres"],
    places: debianPostgres,
    debianPackage: "postgresql",
    elsewhere: forSystem({ darwin: "brew install postgresql", linux: "sudo apt-get install -y postgresql" }),
  },
  {
    name: "Redis",
    variable: "TAILRACE_REDIS",
    commands: ["redis-server", "valkey-server"],
    debianPackage: "redis-server",
    elsewhere: forSystem({ darwin: "brew install redis", linux: "sudo apt-get install -y redis-server" }),
  },
  // Records what a power cut would leave. Other systems have none, and leave those tests out.
  ...(process.platform === "linux"
    ? [
        {
          name: "strace",
          variable: "TAILRACE_STRACE",
          commands: ["strace"],
          debianPackage: "strace",
          elsewhere: "sudo apt-get install -y strace",
        },
      ]
    : []),
];

/**
 * Finds or installs everything in {@link NEEDS}.
 * @returns {Promise<Record<string, string>>} environment variables that tell the tests where each program is
 * @throws {Failure} when something is missing that cannot be installed from here
 */
export async function provision() {
  const missing = NEEDS.filter((need) => find(need) === undefined);
  if (missing.length > 0 && canInstall()) await installFromDebian(missing);

  const lacking = NEEDS.filter((need) => find(need) === undefined);
  if (lacking.length > 0) {
    for (const { name, variable, elsewhere } of lacking) {
      complain(`the tests need ${name}, which is not here. Run:  ${elsewhere}  (or set ${variable} to its path)`);
    }
    throw new Failure(`cannot test without ${lacking.map(({ name }) => name).join(" and ")}`);
  }
  return Object.fromEntries(NEEDS.map((need) => [need.variable, /** @type {string} */ (find(need))]));
}

/** @param {readonly Need[]} missing */
async function installFromDebian(missing) {
  const packages = missing.map(({ debianPackage }) => debianPackage);
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: "noninteractive",
    // Tells the packages of servers not to start them: the tests start their own, on ports of their own.
    RUNLEVEL: "1",
  };
  // dpkg may be busy with someone else's installation: wait for it instead of failing.
  const args = ["-o", "DPkg::Lock::Timeout=120", "install", "-y", "--no-install-recommends", ...packages];
  await step(`installing ${packages.join(", ")} (apt-get)`, async () => {
    let result = await run("apt-get", args, { env, quiet: true });
    if (result.code !== 0) {
      // The lists of packages are absent from a fresh image, or older than the archive.
      say("  refreshing the lists of packages (apt-get update) ...");
      await run("apt-get", ["update"], { env, quiet: true });
      result = await run("apt-get", args, { env, quiet: true });
    }
    if (result.code !== 0) complain(result.output);
  });
}

/**
 * @param {Need} need
 * @returns {string | undefined} the program's absolute path
 */
function find({ name, variable, commands, places }) {
  const told = process.env[variable];
  if (told) {
    if (isProgram(told)) return told;
    throw new Failure(`${variable} is ${told}, which is not a program: set it to the path of ${name}, or unset it`);
  }
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter(Boolean);
  const onPath = commands.flatMap((command) => folders.map((folder) => path.join(folder, command)));
  return [...onPath, ...(places?.() ?? [])].find(isProgram);
}

/** @param {string} place */
function isProgram(place) {
  try {
    accessSync(place, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where `playwright-core install` puts its browser; and where macOS has Chrome. */
function playwrightChromium() {
  const places = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
  const playwright = path.join(MODULES, "playwright-core");
  if (existsSync(playwright)) places.push(createRequire(import.meta.url)(playwright).chromium.executablePath());
  return places;
}

/** Debian keeps each version in a folder of its own, none of them on PATH: the newest first. */
function debianPostgres() {
  const folder = "/usr/lib/postgresql";
  const versions = existsSync(folder) ? readdirSync(folder).toSorted((one, other) => Number(other) - Number(one)) : [];
  return versions.map((version) => path.join(folder, version, "bin", "postgres"));
}

function canInstall() {
  return process.getuid?.() === 0 && isDebian() && isProgram("/usr/bin/apt-get");
}

/** Debian itself: Ubuntu's package `chromium` only points to a snap, which no container can run. */
function isDebian() {
  try {
    return /^ID="?debian"?$/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

/** @param {{ readonly darwin: string, readonly linux: string }} commands */
function forSystem({ darwin, linux }) {
  return process.platform === "darwin" ? darwin : linux;
}
