// The end of an upload: its digest is checked, it is handed to the application, and that is recorded. It may be repeated until it succeeds.

import { isTailraceError } from "../../errors.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { digestOf, httpAlgorithm, sameBytes } from "./digest.ts";
import type { Settings } from "./options.ts";
import { endReport, reporterOf } from "./progress-registry.ts";
import type { UploadInfo } from "./storage.ts";
import { digestMismatch } from "./upload-errors.ts";

/** Notes of ours in an upload (`NewUpload.notes`). */
export const NOTES = {
  /** tus `Upload-Metadata` as it came. */
  metadata: "metadata",
  /** tus `Upload-Concat` as it came. */
  concat: "concat",
  /** The ids of the parts that a final upload waits for, with a space between them. */
  parts: "parts",
  /** `Repr-Digest` of the whole, as `algorithm=base64`. */
  digest: "digest",
  /** The algorithm of the digest that the sender wants to be told. */
  wantedDigest: "wantedDigest",
} as const;

/** Header fields of the answer that are the protocols' own: a delivery cannot set them. */
const OWN = /^(?:upload-|tus-|location$|content-length$|transfer-encoding$|connection$)/;

/**
 * Delivers `upload`, all of whose bytes are there, and gives the header fields for the answer. The caller holds the upload.
 *
 * @throws what `onComplete` threw. The upload stays, and is delivered again when its sender asks for it.
 */
export async function deliver(
  settings: Settings,
  upload: UploadInfo,
  request: Request,
): Promise<Readonly<Record<string, string>>> {
  const { storage, onComplete } = settings;
  const { id, offset } = upload;
  if (upload.phase === "complete") return upload.headers;
  if (!upload.hasBytes) return concluded(settings, upload, {}); // a crash came between taking the bytes away and saying so
  const reporter = reporterOf(settings, upload);
  reporter?.to("verifying");
  try {
    const headers = new Headers(await checkDigest(settings, upload));
    // Recorded before the application gets it: from now on its file may be taken away.
    if (upload.phase === "receiving") await storage.finish(id, "completing");
    const completed = { ...upload, phase: "completing" as const, lengthBytes: offset, read: () => storage.read(id) };
    const delivery = await onComplete?.(completed, request);
    for (const [name, value] of new Headers(delivery?.headers)) if (!OWN.test(name)) headers.set(name, value);
    if (delivery?.dropBytes === true) await storage.dropBytes(id);
    return await concluded(settings, upload, Object.fromEntries(headers));
  } catch (error) {
    // What the application refuses it will refuse again; anything else may pass.
    if (isTailraceError(error) && error.status < 500) endReport(settings, upload, "failed", error.code);
    else reporter?.to("stalled", isTailraceError(error) ? error.code : "source_failed");
    throw error;
  }
}

async function concluded(
  settings: Settings,
  upload: UploadInfo,
  headers: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  await settings.storage.finish(upload.id, "complete", headers);
  endReport(settings, upload, "complete");
  return headers;
}

/** Reads the whole once if a digest was promised or is wanted (RFC 9530). An upload that is not what was promised is removed. */
async function checkDigest(settings: Settings, upload: UploadInfo): Promise<Record<string, string>> {
  const { storage } = settings;
  const [promised = "", promisedText = ""] = (upload.notes[NOTES.digest] ?? "").split(/=(.*)/s);
  const name = promised === "" ? upload.notes[NOTES.wantedDigest] : promised;
  const algorithm = name === undefined ? undefined : httpAlgorithm(name);
  if (name === undefined || algorithm === undefined) return {};
  const value = await digestOf(storage.read(upload.id), algorithm);
  const expected = promised === "" ? value : fromBase64(promisedText);
  if (expected === undefined || !sameBytes(value, expected)) {
    await storage.remove(upload.id);
    throw digestMismatch(name, 400);
  }
  return { "repr-digest": `${name}=:${toBase64(value)}:` };
}
