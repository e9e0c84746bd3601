// What a disk may hold after the power went: everything that was synced, and of the rest whatever chance has left, down to
// single sectors.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Random } from "./random.ts";
import type { FileCall } from "./syscalls.ts";

/** What a disk writes as one piece. */
const SECTOR_BYTES = 512;

/**
 * What becomes of writes that were not synced.
 *
 * `any`: each sector is as it was after any of them, so that they are torn and come in any order; a new name in a folder lasts
 * from the sync of the folder on. This is more than any file system in use allows itself.
 *
 * `growing`: a file that grows has, at some byte, an end, and before it everything that was written, as ext4 and XFS give it for
 * files that are only appended to; a name lasts with the first sync of its file.
 */
export type Disk = "any" | "growing";

/** The files of a folder by their paths; `folder` for the folders in it. */
export type Files = Map<string, Buffer | "folder">;

export function readFiles(root: string): Files {
  const files: Files = new Map();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) files.set(path, "folder");
    else if (entry.isFile()) files.set(path, readFileSync(path));
  }
  return files;
}

/** Writes `files`, which lay under `from`, anew under `to`. */
export function writeFiles(files: Files, from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const [path, content] of files) {
    const place = to + path.slice(from.length);
    if (content === "folder") mkdirSync(place, { recursive: true });
    else {
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, content);
    }
  }
}

interface Change {
  readonly at: number | "its end";
  /** Bytes that were written, or the size that the file was cut to. */
  readonly what: Buffer | number;
  readonly doneLine: number;
}

/** A file, or a folder, whatever its name is now. */
interface Node {
  readonly base: Buffer | "folder";
  readonly changes: Change[];
  readonly syncs: { readonly line: number; readonly doneLine: number }[];
}

/** A name in a folder that came to mean another node, or none. */
interface Naming {
  readonly path: string;
  readonly node: Node | undefined;
  readonly doneLine: number;
}

/** What is left of `before`, to which `calls` were done, when the power goes just before line `cutLine`. */
export function afterPowerCut(
  before: Files,
  calls: readonly FileCall[],
  cutLine: number,
  disk: Disk,
  random: Random,
): Files {
  const first = new Map<string, Node>([...before].map(([path, base]) => [path, { base, changes: [], syncs: [] }]));
  const { namings, nodes } = replay(first, calls, cutLine);
  const isSynced = (node: Node | undefined, doneLine: number): boolean =>
    node?.syncs.some((sync) => sync.line > doneLine && sync.doneLine < cutLine) === true;

  // Names go to the disk in their order, each folder for itself.
  const kept = new Map(first);
  const folders = Map.groupBy(namings, ({ path }) => dirname(path));
  for (const [folder, changes] of folders) {
    const lastSure = changes.findLastIndex(({ node, doneLine }) => {
      const byFolder = isSynced(nodes.get(folder), doneLine);
      return byFolder || (disk === "growing" && node !== undefined && isSynced(node, doneLine));
    });
    const upTo = random.int(lastSure + 1, changes.length);
    for (const { path, node } of changes.slice(0, upTo)) {
      if (node === undefined) kept.delete(path);
      else kept.set(path, node);
    }
  }

  const newFolders = new Set(namings.map(({ path }) => path));
  const mood = random.pick(["only what was synced", "everything", "up to a moment", "anything", "anything"] as const);
  const files: Files = new Map();
  for (const [path, node] of [...kept].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const folder = dirname(path);
    if (newFolders.has(folder) && !kept.has(folder)) continue;
    if (node.base === "folder") {
      files.set(path, "folder");
      continue;
    }
    const firstUnsure = node.changes.findIndex(({ doneLine }) => !isSynced(node, doneLine));
    const sure = firstUnsure < 0 ? node.changes : node.changes.slice(0, firstUnsure);
    const unsure = firstUnsure < 0 ? [] : node.changes.slice(firstUnsure);
    const synced = applyAll(node.base, sure);
    files.set(path, disk === "growing" ? grown(synced, unsure, random) : scattered(synced, unsure, mood, random));
  }
  return files;
}

function replay(
  first: ReadonlyMap<string, Node>,
  calls: readonly FileCall[],
  cutLine: number,
): { namings: Naming[]; nodes: Map<string, Node> } {
  const nodes = new Map(first);
  const namings: Naming[] = [];
  const name = (path: string, node: Node | undefined, doneLine: number): void => {
    if (node === undefined) nodes.delete(path);
    else nodes.set(path, node);
    namings.push({ path, node, doneLine });
  };
  const rootOf = (path: string): Node => {
    // The folder that everything lies in was there before, and is only ever synced.
    let node = nodes.get(path);
    if (node === undefined) nodes.set(path, (node = { base: "folder", changes: [], syncs: [] }));
    return node;
  };
  for (const call of calls) {
    if (call.line >= cutLine) break;
    const { path, line, doneLine } = call;
    const node = nodes.get(path);
    switch (call.is) {
      case "open":
        if (node === undefined && call.mayMake) {
          name(path, { base: Buffer.alloc(0), changes: [], syncs: [] }, doneLine);
        } else if (node !== undefined && call.empties) node.changes.push({ at: 0, what: 0, doneLine });
        break;
      case "folder":
        name(path, { base: "folder", changes: [], syncs: [] }, doneLine);
        break;
      case "remove":
        if (node !== undefined) name(path, undefined, doneLine);
        break;
      case "rename":
        name(call.to, node, doneLine);
        name(path, undefined, doneLine);
        break;
      case "write":
        node?.changes.push({ at: call.at, what: call.bytes, doneLine });
        break;
      case "cut":
        node?.changes.push({ at: 0, what: call.size, doneLine });
        break;
      case "sync":
        (node ?? rootOf(path)).syncs.push({ line, doneLine });
        break;
    }
  }
  return { namings, nodes };
}

/** A file while it is written to. */
class Content {
  bytes: Buffer;
  size: number;

  constructor(start: Buffer) {
    this.bytes = Buffer.from(start);
    this.size = start.length;
  }

  resize(size: number): void {
    if (size > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.bytes.length));
      this.bytes.copy(larger, 0, 0, this.size);
      this.bytes = larger;
    } else if (size < this.size) this.bytes.fill(0, size, this.size);
    this.size = size;
  }

  write(at: number, bytes: Buffer): void {
    if (at + bytes.length > this.size) this.resize(at + bytes.length);
    bytes.copy(this.bytes, at);
  }

  done(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.size));
  }
}

function applyAll(base: Buffer, changes: readonly Change[]): Buffer {
  const content = new Content(base);
  for (const { at, what } of changes) {
    if (typeof what === "number") content.resize(what);
    else content.write(at === "its end" ? content.size : at, what);
  }
  return content.done();
}

/** The file as it was written, up to some byte. */
function grown(synced: Buffer, unsure: readonly Change[], random: Random): Buffer {
  const whole = applyAll(synced, unsure);
  if (whole.length <= synced.length) return random.chance(0.5) ? whole : synced;
  return whole.subarray(0, random.int(synced.length, whole.length));
}

function scattered(
  synced: Buffer,
  unsure: readonly Change[],
  mood: "only what was synced" | "everything" | "up to a moment" | "anything",
  random: Random,
): Buffer {
  // A file that was cut shorter: the sizes between would need a model of their own, so it stops at some moment.
  const isCut = unsure.some(({ what }) => typeof what === "number");
  if (mood === "only what was synced") return synced;
  if (mood === "everything") return applyAll(synced, unsure);
  if (mood === "up to a moment" || isCut) return applyAll(synced, unsure.slice(0, random.int(0, unsure.length)));

  const content = new Content(synced);
  let end = synced.length;
  const writes = unsure.map(({ at, what }) => {
    const bytes = what as Buffer;
    const place = at === "its end" ? end : at;
    end = Math.max(end, place + bytes.length);
    return { place, bytes };
  });
  /** By sector, which writes touched it. */
  const touched = new Map<number, number[]>();
  for (const [index, { place, bytes }] of writes.entries()) {
    for (let sector = Math.floor(place / SECTOR_BYTES); sector * SECTOR_BYTES < place + bytes.length; sector++) {
      const list = touched.get(sector);
      if (list === undefined) touched.set(sector, [index]);
      else list.push(index);
    }
  }
  const keeps = random.pick([0.1, 0.5, 0.9, 0.98]);
  for (const [sector, indexes] of touched) {
    // Once a sector goes to the disk it holds all that was written to it until then.
    const count = random.chance(keeps) ? indexes.length : random.int(0, indexes.length);
    const from = sector * SECTOR_BYTES;
    for (const index of indexes.slice(0, count)) {
      const { place, bytes } = writes[index]!;
      const start = Math.max(place, from);
      const stop = Math.min(place + bytes.length, from + SECTOR_BYTES);
      content.write(start, bytes.subarray(start - place, stop - place));
    }
  }
  return content.done();
}
