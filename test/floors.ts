// The rules of the house (ARCHITECTURE.md, "floors"), as a check over the graph of imports in src/.

import { isBuiltin } from "node:module";

/** One import or re-export. */
export interface Edge {
  /** The path of the importing file from the repository's root, as in `src/wire/sse.ts`. */
  readonly from: string;
  /** A path in src/ for a relative specifier, else the specifier itself. */
  readonly to: string;
  /** Erased by the compiler: `import type`, `export type`, or nothing but `type` names. */
  readonly typeOnly: boolean;
}

interface Room {
  readonly floor: number;
  /** The rooms it may import from beside itself and the files of floor 0; `"any"` for all. */
  readonly mayImport: readonly string[] | "any";
  /** Rooms whose types it may name, though it may not run their code. */
  readonly mayNameTypesOf?: readonly string[] | undefined;
}

/** Single files at the top of src/ that are no doors: what every room may import. */
export const GROUND_FILES: ReadonlySet<string> = new Set(["errors.ts", "clock.ts", "trace.ts"]);

const UP_TO_LOG = ["bytes", "wire", "http", "log"];

const ROOMS: Readonly<Record<string, Room>> = {
  bytes: { floor: 0, mayImport: [] },
  wire: { floor: 1, mayImport: ["bytes"] },
  http: { floor: 1, mayImport: ["bytes"] },
  log: { floor: 2, mayImport: ["bytes", "wire"] },
  reply: { floor: 3, mayImport: UP_TO_LOG },
  receive: { floor: 3, mayImport: UP_TO_LOG },
  // A request's body, or another server's, on its way to a reply.
  flow: { floor: 3, mayImport: [...UP_TO_LOG, "reply", "receive"] },
  // Long work as runs: it says what stands in a job's stream, and leaves the replying to reply/.
  jobs: { floor: 3, mayImport: [...UP_TO_LOG, "reply"] },
  // Rows out of other people's databases; what drivers look like is said by types of our own.
  export: { floor: 3, mayImport: [...UP_TO_LOG, "reply"] },
  // A codec on top of runs: it says what stands in a reply, and leaves the replying to reply/.
  chat: { floor: 3, mayImport: [...UP_TO_LOG, "reply"] },
  protocol: { floor: 3, mayImport: UP_TO_LOG },
  client: { floor: 3, mayImport: ["bytes", "wire", "http"] },
  react: { floor: 4, mayImport: ["client"], mayNameTypesOf: ["wire"] },
  next: { floor: 4, mayImport: "any" },
  node: { floor: 4, mayImport: "any" },
  testing: { floor: 5, mayImport: "any" },
  cli: { floor: 5, mayImport: "any" },
};

/** Files that may import `node:*`; the rest runs where there is no Node. */
const NODE_FILES = [/^src\/node\//, /^src\/cli\//, /^src\/log\/sqlite[^/]*\.ts$/];

/** The only room that may import React, and the only door that may lead to it: a server component cannot load hooks. */
const REACT_ROOM = "react";

interface Place {
  readonly kind: "room" | "ground" | "door" | "package";
  /** The room's name, or the file's or package's own. */
  readonly name: string;
  readonly label: string;
}

function placeOf(path: string): Place {
  const inside = /^src\/(?:([^/]+)\/)?(.+)$/.exec(path);
  if (!inside) return { kind: "package", name: path, label: path };
  const [, room, file = ""] = inside;
  if (room !== undefined) return { kind: "room", name: room, label: `floor ${ROOMS[room]?.floor ?? "?"} (${room}/)` };
  if (GROUND_FILES.has(file)) return { kind: "ground", name: file, label: `floor 0 (${file})` };
  return { kind: "door", name: file, label: "a door" };
}

/**
 * Checks every edge against the floors.
 *
 * @param edges the imports of src/, tests left out
 * @param packages the packages that a user of ours has installed: the dependencies and peer dependencies
 * @returns one line per offending edge, as in `src/a/x.ts -> src/b/y.ts: floor 1 may not import floor 3`
 */
export function floorComplaints(edges: readonly Edge[], packages: ReadonlySet<string>): string[] {
  return edges.flatMap((edge) => {
    const complaint = complaintAbout(edge, packages);
    return complaint === undefined ? [] : [`${edge.from} -> ${edge.to}: ${complaint}`];
  });
}

function complaintAbout({ from, to, typeOnly }: Edge, packages: ReadonlySet<string>): string | undefined {
  const importer = placeOf(from);
  const target = placeOf(to);
  if (target.kind === "package") return packageComplaint(from, importer, to, packages);
  if (target.kind === "room" && ROOMS[target.name] === undefined) {
    return `the room ${target.name}/ has no floor yet; give it one in test/floors.ts`;
  }
  switch (importer.kind) {
    case "door":
      return target.kind === "door" ? "a door may not import another door" : undefined;
    case "ground":
      return target.kind === "ground" ? undefined : `${importer.label} may not import ${target.label}`;
    case "room":
      return mayImport(importer.name, target, typeOnly)
        ? undefined
        : `${importer.label} may not import ${target.label}`;
    case "package":
      return undefined;
  }
}

function mayImport(room: string, target: Place, typeOnly: boolean): boolean {
  const rules = ROOMS[room];
  if (target.kind === "ground") return true;
  if (target.kind !== "room" || rules === undefined) return false;
  if (target.name === room || rules.mayImport === "any" || rules.mayImport.includes(target.name)) return true;
  return typeOnly && (rules.mayNameTypesOf?.includes(target.name) ?? false);
}

function packageComplaint(
  from: string,
  importer: Place,
  specifier: string,
  packages: ReadonlySet<string>,
): string | undefined {
  if (isBuiltin(specifier)) {
    return NODE_FILES.some((pattern) => pattern.test(from))
      ? undefined
      : "node:* is imported only in src/node/, src/cli/ and src/log/sqlite*.ts";
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (!packages.has(name)) return `${name} is neither a dependency nor a peer dependency of the package`;
  if (/^react(-dom)?$/.test(name) && importer.name !== REACT_ROOM) return `only ${REACT_ROOM}/ may import React`;
  return undefined;
}

/**
 * Finds the cycles among files. An import of types counts like any other: what two files need of each other belongs in
 * one, or in a third.
 *
 * @returns one line per cycle, as in `src/a.ts -> src/b.ts -> src/a.ts: cycle`
 */
export function cycleComplaints(edges: readonly Edge[]): string[] {
  const targets = targetsByFile(edges);
  const finished = new Set<string>();
  const complaints: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const seenAt = path.indexOf(file);
    if (seenAt >= 0) {
      complaints.push(`${[...path.slice(seenAt), file].join(" -> ")}: cycle`);
      return;
    }
    if (finished.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    finished.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return complaints;
}

/**
 * Finds the doors, other than that of the hooks, through which src/react/ would reach a server.
 *
 * @returns one line per door, with the way to the room
 */
export function reactComplaints(edges: readonly Edge[]): string[] {
  const targets = targetsByFile(edges.filter((edge) => !edge.typeOnly));
  const wayToReact = (file: string, path: readonly string[], seen: Set<string>): readonly string[] | undefined => {
    if (file.startsWith(`src/${REACT_ROOM}/`)) return [...path, file];
    if (seen.has(file)) return undefined;
    seen.add(file);
    for (const target of targets.get(file) ?? []) {
      const way = wayToReact(target, [...path, file], seen);
      if (way) return way;
    }
    return undefined;
  };
  return [...targets.keys()].flatMap((file) => {
    if (placeOf(file).kind !== "door" || /^src\/react\.tsx?$/.test(file)) return [];
    const way = wayToReact(file, [], new Set());
    return way ? [`${way.join(" -> ")}: only the door src/react.ts may lead to ${REACT_ROOM}/`] : [];
  });
}

function targetsByFile(edges: readonly Edge[]): Map<string, string[]> {
  const targets = new Map<string, string[]>();
  for (const { from, to } of edges) {
    if (placeOf(to).kind === "package") continue;
    const known = targets.get(from);
    if (known) known.push(to);
    else targets.set(from, [to]);
  }
  return targets;
}
