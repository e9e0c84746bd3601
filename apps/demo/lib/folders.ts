// The folders of the demo's data, and what lies in them at first: something to download, and something to watch.

import { copyFile, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { findRepositoryRoot } from "./docs-files.ts";
import { dataDir } from "./environment.ts";

export const filesDir: string = join(/* turbopackIgnore: true */ dataDir, "files");
export const videosDir: string = join(/* turbopackIgnore: true */ dataDir, "videos");
export const uploadsDir: string = join(/* turbopackIgnore: true */ dataDir, "uploads");

/** Where unfinished resumable uploads wait. */
export const unfinishedDir: string = join(/* turbopackIgnore: true */ dataDir, "unfinished");

/** The size of the sample to download, in bytes: 24 MiB, enough to pause and resume by hand. */
const SAMPLE_BYTES = 25_165_824;

/** Makes the folders, and fills those that are new with samples. Several instances may do so at once over the same folders. */
export async function prepareFolders(): Promise<void> {
  for (const folder of [filesDir, videosDir, uploadsDir, unfinishedDir]) await mkdir(folder, { recursive: true });
  const root = findRepositoryRoot();
  if (root !== undefined && (await isEmpty(videosDir))) {
    const card = join(/* turbopackIgnore: true */ root, "apps/demo/samples/test-card.webm");
    await copyFile(card, join(videosDir, "test-card.webm"));
  }
  if (await isEmpty(filesDir)) {
    if (root !== undefined)
      await copyFile(join(/* turbopackIgnore: true */ root, "README.md"), join(filesDir, "README.md"));
    await writeNumbers(join(filesDir, "squares.csv"));
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  return (await readdir(folder)).length === 0;
}

/** Numbers and their squares: the same bytes on every machine. Under its name it is always whole, whichever instance wrote it. */
async function writeNumbers(path: string): Promise<void> {
  const unfinished = join(/* turbopackIgnore: true */ dataDir, `${crypto.randomUUID()}.unfinished`);
  const file = await open(unfinished, "wx");
  try {
    let [bytes, number] = [0, 0];
    while (bytes < SAMPLE_BYTES) {
      let text = number === 0 ? "number,square\r\n" : "";
      while (text.length < 1_048_576) text += `${number},${(number++) ** 2}\r\n`;
      bytes += (await file.write(text)).bytesWritten;
    }
    await rename(unfinished, path);
  } finally {
    await file.close();
    await rm(unfinished, { force: true });
  }
}
