// What the files of exports are called, and the folder that they lie in. A name holds the export's id and the attempt that wrote it, so that
// a process that was taken for dead and wakes up never writes into the file of its successor.

import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { TailraceError } from "../errors.ts";

/** One file of an export, as its name tells it. */
export interface ExportFileName {
  readonly id: string;
  readonly attempt: string;
  /** Written to its end, and the disk has it. */
  readonly isWhole: boolean;
}

const ID = /^[\w-]{1,64}$/;
const FILE = /^([\w-]{1,64})\.([0-9a-f]{16})\.(part|whole)$/;

export function isExportId(id: string): boolean {
  return ID.test(id);
}

/** @throws {TailraceError} `input_invalid` */
export function checkExportId(id: string): void {
  if (isExportId(id)) return;
  const message = "An export's id has 1 to 64 letters, digits, or any of _ - and nothing else.";
  throw new TailraceError("input_invalid", message, { details: { field: "id" } });
}

export function newAttempt(): string {
  return randomBytes(8).toString("hex");
}

/** The folder of all exports. It may hold other files too, which are never touched. */
export class ExportFolder {
  readonly root: string;

  constructor(folder: string) {
    this.root = path.resolve(folder);
  }

  pathOf({ id, attempt, isWhole }: ExportFileName): string {
    return path.join(this.root, `${id}.${attempt}.${isWhole ? "whole" : "part"}`);
  }

  async make(): Promise<void> {
    await mkdir(this.root, { recursive: true });
  }

  /** The files of exports that are there now; none if there is no folder. */
  async list(): Promise<readonly ExportFileName[]> {
    const names = await readdir(this.root).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names.flatMap((name) => {
      const [, id, attempt, state] = FILE.exec(name) ?? [];
      return id === undefined || attempt === undefined ? [] : [{ id, attempt, isWhole: state === "whole" }];
    });
  }

  /** Removes a file; one that has gone already is no matter. */
  async remove(file: ExportFileName): Promise<void> {
    await rm(this.pathOf(file), { force: true });
  }

  /** Removes the files of `id` but those of the attempt `except`. */
  async removeAll(id: string, except?: string): Promise<void> {
    for (const file of await this.list()) if (file.id === id && file.attempt !== except) await this.remove(file);
  }
}
