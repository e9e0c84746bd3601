// curl on a stream that has no end: read until something has come.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** What `curl -sN` with these arguments prints, up to the end of the event that has `wanted` in it. @throws if it ends before */
export async function curlUntil(args: readonly string[], wanted: string): Promise<string> {
  const curl = spawn("curl", ["-sN", ...args], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(curl, "exit");
  let output = "";
  const isThere = (): boolean => output.includes(wanted) && output.includes("\n\n", output.indexOf(wanted));
  for await (const text of curl.stdout.setEncoding("utf8") as AsyncIterable<string>) {
    output += text;
    if (isThere()) break;
  }
  curl.kill();
  await exited;
  if (!isThere()) throw new Error(`curl ended without ${JSON.stringify(wanted)}: ${output}`);
  return output;
}
