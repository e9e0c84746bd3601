// What the folder of uploads needs of the file system, with "it is not there" as an answer instead of an error.

import { type FileHandle, open, readdir, rm, stat } from "node:fs/promises";

const READ_BYTES = 262_144;

export async function sizeOf(filePath: string): Promise<number | undefined> {
  try {
    return (await stat(filePath)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

export async function removeOld(filePath: string, untilMs: number): Promise<void> {
  try {
    if ((await stat(filePath)).mtimeMs <= untilMs) await rm(filePath, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** A rename is on the disk once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function* fileBytes(filePath: string, offset: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const handle = await open(filePath, "r");
  try {
    yield* bytesOf(handle, offset);
  } finally {
    await handle.close();
  }
}

export async function* bytesOf(handle: FileHandle, offset: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let position = offset;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(READ_BYTES), 0, READ_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
