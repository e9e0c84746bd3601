// What the programs of one run have done to their files, in one order: read from the log of strace.

/** One thing done to a file under the folder that is watched. Lines are those of the log. */
export type FileCall =
  | {
      readonly is: "write";
      readonly path: string;
      readonly at: number | "its end";
      readonly bytes: Buffer;
      readonly line: number;
      readonly doneLine: number;
    }
  | {
      readonly is: "cut";
      readonly path: string;
      readonly size: number;
      readonly line: number;
      readonly doneLine: number;
    }
  | { readonly is: "sync"; readonly path: string; readonly line: number; readonly doneLine: number }
  | {
      readonly is: "open";
      readonly path: string;
      readonly mayMake: boolean;
      readonly empties: boolean;
      readonly line: number;
      readonly doneLine: number;
    }
  | { readonly is: "folder"; readonly path: string; readonly line: number; readonly doneLine: number }
  | { readonly is: "remove"; readonly path: string; readonly line: number; readonly doneLine: number }
  | {
      readonly is: "rename";
      readonly path: string;
      readonly to: string;
      readonly line: number;
      readonly doneLine: number;
    };

/** The calls that change what a disk holds. Those that a machine does not have are left out (`?`). */
const CALLS =
  "?open,?creat,openat,?mkdir,mkdirat,?rename,?renameat,renameat2,?unlink,unlinkat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range";

/** What strace is started with, before the command. */
export function straceArguments(log: string): string[] {
  return ["-f", "--seccomp-bpf", "-y", "-xx", "-s", "16777216", "-e", `trace=${CALLS}`, "-e", "signal=none", "-o", log];
}

const STRING = /"((?:\\x[0-9a-f]{2})*)"/g;

/** The calls that touched something under `folder`, in the order in which they were done. @throws for a call that is not understood */
export function readCalls(log: string, folder: string): FileCall[] {
  const calls: FileCall[] = [];
  const open = new Map<string, { readonly text: string; readonly line: number }>();
  /** The working folder of each thread, where a call has told it: others name their files by it. */
  const folders = new Map<string, string>();
  for (const [line, raw] of log.split("\n").entries()) {
    const space = raw.indexOf(" ");
    const thread = raw.slice(0, space);
    let text = raw.slice(space).trimStart();
    let from = line;
    if (text.endsWith("<unfinished ...>")) {
      open.set(thread, { text: text.slice(0, -"<unfinished ...>".length).trimEnd(), line });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(text);
    if (resumed !== null) {
      const begun = open.get(thread);
      open.delete(thread);
      if (begun === undefined) continue;
      text = begun.text + text.slice(resumed[0].length);
      from = begun.line;
    }
    const cwd = /AT_FDCWD<((?:\\x[0-9a-f]{2})*)>/.exec(text)?.[1];
    if (cwd !== undefined) folders.set(thread, unescape(cwd).toString());
    const call = callOf(text, from, line, folders.get(thread));
    if (call !== undefined && isWithin(folder, call)) calls.push(call);
  }
  // Killed in the middle: it may have been done or not, and nothing says that it was.
  for (const [thread, { text, line }] of open) {
    const call = callOf(`${text}) = ?`, line, Infinity, folders.get(thread));
    if (call !== undefined && isWithin(folder, call)) calls.push(call);
  }
  return calls.toSorted((one, other) => one.line - other.line);
}

function isWithin(folder: string, call: FileCall): boolean {
  return call.path === folder || call.path.startsWith(`${folder}/`);
}

function callOf(text: string, line: number, doneLine: number, cwd: string | undefined): FileCall | undefined {
  const named = /^(\w+)\(/.exec(text);
  if (named === null) return undefined; // an exit or a signal
  const result = /\)\s+= (-?\d+|\?)/.exec(text.slice(text.lastIndexOf(")")))?.[1];
  if (result === undefined || result.startsWith("-")) return undefined;
  const name = named[1]!;
  const path = /^\w+\((?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>/.exec(text)?.[1];
  const file = path === undefined ? undefined : unescape(path).toString();
  const folder = file ?? cwd;
  const strings = (): Buffer[] => [...text.matchAll(STRING)].map((match) => unescape(match[1]!));
  const numbers = (): number[] => text.slice(0, text.lastIndexOf(")")).split(", ").map(Number);
  const at = { line, doneLine };
  switch (name) {
    case "open":
    case "openat":
    case "creat": {
      const [target] = strings();
      if (target === undefined) return undefined;
      const flags = text.slice(text.lastIndexOf('"'));
      const mayMake = name === "creat" || flags.includes("O_CREAT");
      return { is: "open", path: absolute(folder, target), mayMake, empties: flags.includes("O_TRUNC"), ...at };
    }
    case "mkdir":
    case "mkdirat":
      return { is: "folder", path: absolute(folder, strings()[0]!), ...at };
    case "unlink":
    case "unlinkat":
      return { is: "remove", path: absolute(folder, strings()[0]!), ...at };
    case "rename":
    case "renameat":
    case "renameat2": {
      const [from, to] = strings();
      return { is: "rename", path: absolute(folder, from!), to: absolute(folder, to!), ...at };
    }
    case "write":
      return { is: "write", path: file ?? "", at: "its end", bytes: written(strings()[0], result), ...at };
    case "pwrite64":
      return { is: "write", path: file ?? "", at: numbers().at(-1)!, bytes: written(strings()[0], result), ...at };
    case "truncate":
      return { is: "cut", path: absolute(folder, strings()[0]!), size: numbers().at(-1)!, ...at };
    case "ftruncate":
      return { is: "cut", path: file ?? "", size: numbers().at(-1)!, ...at };
    case "fsync":
    case "fdatasync":
      return { is: "sync", path: file ?? "", ...at };
    case "sync_file_range":
      return undefined; // promises nothing
    case "writev":
      if (file === undefined || !file.startsWith("/")) return undefined;
      return { is: "write", path: file, at: "its end", bytes: written(Buffer.concat(strings()), result), ...at };
    default:
      throw new Error(`the log of strace has a call that is not understood: ${text.slice(0, 200)}`);
  }
}

/** A write may have been cut short. */
function written(bytes: Buffer | undefined, result: string): Buffer {
  const whole = bytes ?? Buffer.alloc(0);
  return result === "?" ? whole : whole.subarray(0, Number(result));
}

function absolute(folder: string | undefined, target: Buffer): string {
  const text = target.toString();
  if (text.startsWith("/")) return text;
  if (folder === undefined) throw new Error(`the log of strace does not tell where ${text} is`);
  return `${folder}/${text}`;
}

function unescape(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex");
}
