// A request's bytes into an upload: the part that both protocols share.

import type { TailraceError } from "../../errors.ts";
import { isTailraceError } from "../../errors.ts";
import { type ExpectedDigest, hasherFor, sameBytes } from "./digest.ts";
import type { Settings } from "./options.ts";
import { reporterOf, settleReports } from "./progress-registry.ts";
import type { UploadBody } from "./upload-body.ts";
import type { UploadInfo } from "./storage.ts";
import type { Hold } from "./upload-line.ts";
import { digestMismatch, lengthExceeded, tooLarge } from "./upload-errors.ts";

export interface AppendPlan {
  /** The digest of this request's bytes: nothing is kept of them if it is another. */
  readonly digest?: ExpectedDigest | undefined;
  readonly mismatchStatus: 400 | 460;
  /** The most that this request may bring. */
  readonly maxAppendBytes?: number | undefined;
  /** The error where it brings more. */
  readonly pastAppend?: (() => TailraceError) | undefined;
  /** Told each time that bytes were stored. */
  readonly onStored?: ((offset: number) => void) | undefined;
}

/**
 * Appends `body` to `upload`, whose length and offset have been checked. Gives the new offset.
 *
 * @throws what ended it; what was stored until then counts
 */
export async function appendBody(
  settings: Settings,
  upload: UploadInfo,
  body: UploadBody,
  hold: Hold,
  plan: AppendPlan,
): Promise<number> {
  const { storage } = settings;
  const { id, offset, lengthBytes } = upload;
  const { digest, maxAppendBytes = Infinity, pastAppend } = plan;
  const roomBytes = (lengthBytes ?? settings.maxBytes) - offset;
  const pastRoom = (): TailraceError =>
    lengthBytes === undefined ? tooLarge(settings.maxBytes) : lengthExceeded(lengthBytes);
  const past = maxAppendBytes < roomBytes && pastAppend !== undefined ? pastAppend : pastRoom;
  const maxBytes = Math.min(roomBytes, maxAppendBytes);
  // Known before anything is read: nothing is kept of a body that cannot be right.
  if ((body.declaredBytes ?? 0) > maxBytes) throw past();

  const reporter = reporterOf(settings, upload);
  // What came by way of another process, this one's reporter has not seen.
  if (reporter !== undefined && reporter.current.bytes !== offset) reporter.stored(offset);
  reporter?.to("receiving");
  const hasher = digest === undefined ? undefined : hasherFor(digest.algorithm);
  const chunks = body.chunks({
    maxBytes,
    past,
    signal: hold.signal,
    tap: hasher === undefined ? undefined : (chunk) => void hasher.update(chunk),
  });
  const check = (): void => {
    if (digest === undefined || hasher === undefined) return;
    if (!sameBytes(hasher.digest(), digest.value)) throw digestMismatch(digest.name, plan.mismatchStatus);
  };
  try {
    return await storage.append(id, offset, chunks, {
      check: digest === undefined ? undefined : check,
      onStored(stored) {
        reporter?.stored(stored);
        plan.onStored?.(stored);
      },
    });
  } catch (error) {
    reporter?.to("stalled", isTailraceError(error) ? error.code : "store_unavailable");
    throw error;
  } finally {
    await settleReports(settings, id);
  }
}
