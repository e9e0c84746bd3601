// The demo's jobs: work that takes a while on what lies in its folders.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createJobs, type Jobs } from "tailrace";
import { filesDir, uploadsDir, videosDir } from "./folders.ts";
import { asChoice, asObject, asText, invalid } from "./input.ts";
import { streams } from "./streams.ts";
import { WordCount, type WordTotal } from "./transforms.ts";

export const KINDS = ["hash", "words"] as const;
export type Kind = (typeof KINDS)[number];

/** The longest text to count; as JSON it may be longer. */
const MAX_TEXT_CHARS = 250_000;

const FOLDERS = { files: filesDir, videos: videosDir, uploads: uploadsDir } as const;

export interface HashInput {
  readonly folder: keyof typeof FOLDERS;
  /** Reads no faster than this, so that there is something to watch; 0 for as fast as it goes. */
  readonly bytesPerSecond: number;
}

export interface WordsInput {
  readonly text?: string | undefined;
  /** The name of a file among the uploads, instead of a text. */
  readonly file?: string | undefined;
}

export interface FileHash {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export const jobs: Jobs = createJobs({
  streams,
  maxRunningCount: 2,
  maxQueuedCount: 1_000,
  maxInputChars: MAX_TEXT_CHARS * 2,
});

/** Hashes every file of a folder. After a crash it goes on behind the last file that it had finished. */
jobs.define<HashInput, { readonly files: number; readonly bytes: number }>(
  "hash",
  async ({ input, progress, log, signal, checkpoint, resumed }) => {
    const folder = FOLDERS[input.folder];
    const files = await filesIn(folder);
    const total = files.reduce((sum, file) => sum + file.bytes, 0);
    const isDone = new Set(((resumed?.checkpoint as readonly FileHash[] | undefined) ?? []).map(({ name }) => name));
    const hashes: FileHash[] = [...((resumed?.checkpoint as readonly FileHash[] | undefined) ?? [])];
    let done = files.filter(({ name }) => isDone.has(name)).reduce((sum, file) => sum + file.bytes, 0);
    for (const { name, bytes } of files) {
      if (isDone.has(name)) continue;
      const sha256 = await hashFile(
        join(/* turbopackIgnore: true */ folder, name),
        input.bytesPerSecond,
        signal,
        (read) => progress((done += read), total),
      );
      log(`${sha256.slice(0, 16)}…  ${name}`);
      hashes.push({ name, bytes, sha256 });
      checkpoint(hashes);
    }
    return { files: files.length, bytes: total };
  },
  { carriesOn: true },
);

/** Counts the words of a text, or of a file that was uploaded. */
jobs.define<WordsInput, WordTotal>("words", async ({ input, progress, signal }) => {
  const count = new WordCount();
  if (input.text !== undefined) {
    count.add(input.text);
    return count.total;
  }
  const path = join(/* turbopackIgnore: true */ uploadsDir, input.file ?? "");
  const { size } = await stat(path);
  let read = 0;
  const decoder = new TextDecoder();
  for await (const chunk of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
    count.add(decoder.decode(chunk, { stream: true }));
    progress((read += chunk.length), size);
  }
  count.add(decoder.decode());
  return count.total;
});

/** The input of a job as a request brings it. @throws {TailraceError} `input_invalid` */
export async function jobInput(kind: Kind, body: Readonly<Record<string, unknown>>): Promise<HashInput | WordsInput> {
  if (kind === "hash") {
    const { bytesPerSecond = 0 } = body;
    if (typeof bytesPerSecond !== "number" || !(bytesPerSecond >= 0)) throw invalid("bytesPerSecond", "is 0 or more");
    return { folder: asChoice(body["folder"] ?? "files", "folder", ["files", "videos", "uploads"]), bytesPerSecond };
  }
  if (body["file"] === undefined) return { text: asText(body["text"], "text", 1, MAX_TEXT_CHARS) };
  const file = asText(body["file"], "file", 1, 255);
  // Only what the folder lists: a name never becomes a path by itself.
  if (!(await filesIn(uploadsDir)).some(({ name }) => name === file)) throw invalid("file", "is one of the uploads");
  return { file };
}

/** The body of a request that starts a job. */
export async function readJob(body: unknown): Promise<{ readonly kind: Kind; readonly input: HashInput | WordsInput }> {
  const fields = asObject(body);
  const kind = asChoice(fields["kind"], "kind", KINDS);
  return { kind, input: await jobInput(kind, fields) };
}

interface FoundFile {
  readonly name: string;
  readonly bytes: number;
}

async function filesIn(folder: string): Promise<readonly FoundFile[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile() && !entry.name.startsWith(".")).map((entry) => entry.name);
  return Promise.all(
    names
      .toSorted()
      .map(async (name) => ({ name, bytes: (await stat(join(/* turbopackIgnore: true */ folder, name))).size })),
  );
}

async function hashFile(
  path: string,
  bytesPerSecond: number,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 262_144 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    onBytes(chunk.length);
    if (bytesPerSecond > 0) await sleep((1_000 * chunk.length) / bytesPerSecond, undefined, { signal });
  }
  return hash.digest("hex");
}
