// tus "Concatenation": one upload out of others. If they are not all whole yet (`concatenation-unfinished`), it waits for them.

import { TailraceError } from "../../errors.ts";
import { tellApplication } from "./answer.ts";
import { deliver, NOTES } from "./deliver.ts";
import type { Settings } from "./options.ts";
import { endReport, reporterOf } from "./progress-registry.ts";
import type { NewUpload, UploadInfo } from "./storage.ts";
import { takeOver } from "./takeover.ts";
import type { Hold } from "./upload-line.ts";
import { isDue, isWaiting } from "./tus-rules.ts";
import { headerInvalid, tooLarge } from "./upload-errors.ts";

/** Of so many parts it is remembered who waits for them. A final upload that is forgotten is joined when its sender asks for it. */
const MAX_AWAITED_COUNT = 10_000;
/** ... and so many final uploads may wait for one part; the newest are remembered. */
const MAX_WAITING_PER_PART_COUNT = 8;
const AWAITED: unique symbol = Symbol.for("tailrace.uploads.awaited.1");

/** The final uploads that wait, by the place and id of a part. One per process, as the lines of `takeOver` are. */
function awaited(): Map<string, readonly string[]> {
  const host = globalThis as { [AWAITED]?: Map<string, readonly string[]> };
  return (host[AWAITED] ??= new Map());
}

const keyOf = (settings: Settings, id: string): string => `${settings.storage.place}\0${id}`;

/** Makes a final upload: at once of parts that are whole, else one that waits. The caller holds it. */
export async function createFinal(
  settings: Settings,
  upload: NewUpload,
  partIds: readonly string[],
): Promise<UploadInfo> {
  const { storage } = settings;
  const known = await partsOf(settings, partIds);
  if (known.every(isWhole)) return joinNow(settings, upload, partIds);
  const knownBytes = known.reduce((sum, part) => sum + (part.lengthBytes ?? part.offset), 0);
  if (knownBytes > settings.maxBytes) throw tooLarge(settings.maxBytes);
  const waiting: NewUpload = {
    ...upload,
    lengthBytes: known.every(({ lengthBytes }) => lengthBytes !== undefined) ? knownBytes : undefined,
    notes: { ...upload.notes, [NOTES.parts]: partIds.join(" ") },
  };
  await storage.create(waiting);
  remember(settings, partIds, upload.id);
  const made: UploadInfo = { ...waiting, offset: 0, hasBytes: true, phase: "receiving", headers: {} };
  reporterOf(settings, made);
  return joinIfWhole(settings, made); // the last part may have come meanwhile
}

/** Makes the upload of parts that are whole. They are held meanwhile and removed behind it: tus leaves that to the server. */
function joinNow(settings: Settings, upload: NewUpload, partIds: readonly string[]): Promise<UploadInfo> {
  return holding(settings, partIds, async () => {
    const parts = await partsOf(settings, partIds);
    const lengthBytes = parts.reduce((sum, part) => sum + part.offset, 0);
    if (lengthBytes > settings.maxBytes) throw tooLarge(settings.maxBytes);
    const offset = await settings.storage.concat({ ...upload, lengthBytes }, partIds);
    await removeParts(settings, parts);
    const made: UploadInfo = {
      ...upload,
      lengthBytes: offset,
      offset,
      hasBytes: true,
      phase: "receiving",
      headers: {},
    };
    reporterOf(settings, made);
    return made;
  });
}

/** Joins the parts that `upload` waits for, if they are whole by now; goes on where a crash cut it. The caller holds the upload. */
export async function joinIfWhole(settings: Settings, upload: UploadInfo): Promise<UploadInfo> {
  if (!isWaiting(upload)) return upload;
  const { storage } = settings;
  const partIds = (upload.notes[NOTES.parts] ?? "").split(" ");
  // Looked at without a hold: that would end the appends that we wait for.
  const known = await partsOf(settings, partIds, partGone);
  if (!known.every(isWhole)) {
    remember(settings, partIds, upload.id);
    return upload;
  }
  return holding(settings, partIds, async () => {
    const parts = await partsOf(settings, partIds, partGone);
    const lengthBytes = parts.reduce((sum, part) => sum + part.offset, 0);
    if (lengthBytes > settings.maxBytes) {
      await storage.remove(upload.id);
      endReport(settings, upload, "failed", "limit_exceeded");
      throw tooLarge(settings.maxBytes);
    }
    if (upload.lengthBytes === undefined) await storage.setLength(upload.id, lengthBytes);
    const reporter = reporterOf(settings, upload);
    reporter?.setTotal(lengthBytes);
    const onStored = (offset: number): void => reporter?.stored(offset);
    const offset = await storage.append(upload.id, upload.offset, bytesOf(settings, parts, upload.offset), {
      onStored,
    });
    await removeParts(settings, parts);
    return { ...upload, lengthBytes, offset };
  });
}

/** A part is whole: the final uploads that waited for it alone are joined and delivered. What fails is tried again when its sender asks. */
export async function joinAwaiting(settings: Settings, request: Request, partId: string): Promise<void> {
  for (const id of awaited().get(keyOf(settings, partId)) ?? []) {
    let hold: Hold | undefined;
    try {
      hold = await takeOver(settings.storage.place, id, settings.line);
      const upload = await settings.storage.head(id);
      const joined = upload === undefined ? undefined : await joinIfWhole(settings, upload);
      if (joined !== undefined && isDue(joined)) await deliver(settings, joined, request);
    } catch (error) {
      tellApplication(settings, error);
    } finally {
      hold?.release();
    }
  }
}

/** The parts as they stand, each of which must be one. */
function partsOf(
  settings: Settings,
  ids: readonly string[],
  refuse: () => TailraceError = noPart,
): Promise<UploadInfo[]> {
  return Promise.all(
    ids.map(async (id) => {
      const part = await settings.storage.head(id);
      if (part?.isPartial === true) return part;
      throw refuse();
    }),
  );
}

function noPart(): TailraceError {
  return headerInvalid("Upload-Concat", "every part must be a partial upload of this server");
}

function isWhole(part: UploadInfo): boolean {
  return part.offset === part.lengthBytes;
}

/** The bytes of all parts, without the first `skip`. */
async function* bytesOf(
  settings: Settings,
  parts: readonly UploadInfo[],
  skip: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let left = skip;
  for (const { id, offset } of parts) {
    if (left < offset) yield* settings.storage.read(id, left);
    left = Math.max(0, left - offset);
  }
}

async function holding<T>(settings: Settings, partIds: readonly string[], work: () => Promise<T>): Promise<T> {
  const holds: Hold[] = [];
  try {
    // In one order for everybody, so that two that join the same parts do not wait for each other.
    for (const id of [...new Set(partIds)].toSorted())
      holds.push(await takeOver(settings.storage.place, id, settings.line));
    return await work();
  } finally {
    for (const hold of holds) hold.release();
  }
}

async function removeParts(settings: Settings, parts: readonly UploadInfo[]): Promise<void> {
  for (const part of new Map(parts.map((each) => [each.id, each])).values()) {
    awaited().delete(keyOf(settings, part.id));
    await settings.storage.remove(part.id);
    endReport(settings, part, "complete");
  }
}

function remember(settings: Settings, partIds: readonly string[], finalId: string): void {
  const all = awaited();
  for (const id of partIds) {
    const key = keyOf(settings, id);
    const others = (all.get(key) ?? []).filter((other) => other !== finalId);
    all.set(key, [...others, finalId].slice(-MAX_WAITING_PER_PART_COUNT));
  }
  for (const key of all.keys()) {
    if (all.size <= MAX_AWAITED_COUNT) return;
    all.delete(key);
  }
}

/** A part has expired or was removed: the upload will never be whole. */
function partGone(): TailraceError {
  return new TailraceError("not_found", "A part of this upload is no longer there; send the parts again.", {
    status: 410,
  });
}
