// `npm run dev`: the demo with reload, and the package compiled anew at each change of src/.

import { spawn } from "node:child_process";
import { NEXT_ENVIRONMENT } from "./build.mjs";
import { installedBin } from "./command.mjs";
import { checkSettings } from "./preflight.mjs";
import { prepare } from "./prepare.mjs";
import { ROOT } from "./project.mjs";
import { main, say } from "./report.mjs";
import { unstamp } from "./stamps.mjs";
import { supervise } from "./supervise.mjs";

await main(async () => {
  const { host, port, dataDir } = await checkSettings();
  const node = await prepare("package");
  const environment = { ...process.env, ...NEXT_ENVIRONMENT, HOST: host, PORT: String(port), DATA_DIR: dataDir };

  /** @param {readonly string[]} args */
  const start = (args) =>
    spawn(node, [...args], { cwd: ROOT, env: environment, stdio: ["ignore", "inherit", "inherit"] });

  // From here on dist/ follows the sources unseen by the stamps.
  unstamp("package");
  say(`starting tsc --watch and next dev (data in ${dataDir}) ...`);
  const compile = [installedBin("typescript", "tsc"), "-p", "tsconfig.build.json", "--watch", "--preserveWatchOutput"];
  const serve = [installedBin("next"), "dev", "apps/demo", "-p", String(port), "-H", host];
  return supervise([
    { name: "tsc --watch", child: start(compile) },
    { name: "next dev", child: start(serve) },
  ]);
});
