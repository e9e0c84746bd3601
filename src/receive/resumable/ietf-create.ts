// How an upload of the IETF draft begins. "Section" in these comments is one of draft-ietf-httpbis-resumable-upload-12.

import { empty } from "./answer.ts";
import { toBase64 } from "./base64.ts";
import { NOTES } from "./deliver.ts";
import { complete, take } from "./ietf-append.ts";
import { checkLength, IETF_VERSION, limitsFor, toldLength } from "./ietf-rules.ts";
import { locationOf, type Settings } from "./options.ts";
import { endReport, reporterOf, settleReports } from "./progress-registry.ts";
import type { UploadBody } from "./upload-body.ts";
import type { NewUpload, UploadInfo } from "./storage.ts";
import { readBoolean, readDigest, readWantedDigest } from "./structured-fields.ts";
import { takeOver } from "./takeover.ts";
import { appendTooLarge, headerInvalid } from "./upload-errors.ts";
import { newUploadId } from "./upload-id.ts";
import { isTailraceError } from "../../errors.ts";

/** The longest media type or file name that is kept, in characters. */
const MAX_TEXT_LENGTH = 1_024;

/** Section "Upload Creation". */
export async function createIetf(settings: Settings, request: Request, body: UploadBody): Promise<Response> {
  const { headers } = request;
  const completes = readBoolean(headers, "upload-complete");
  // Without it the request is no resumable upload, and this handler takes no others.
  if (completes === undefined) throw headerInvalid("Upload-Complete", "it is ?1 with the whole, ?0 with a part of it");
  const digest = readDigest(headers, "content-digest");
  const { maxAppendBytes = Infinity } = settings;
  const empty0 = { lengthBytes: undefined, offset: 0 };
  const lengthBytes = checkLength(settings, toldLength(headers, body, completes, 0), empty0);
  if ((body.declaredBytes ?? 0) > maxAppendBytes) throw appendTooLarge(maxAppendBytes);

  const upload = newUpload(settings, headers, lengthBytes);
  const location = locationOf(settings, request, upload.id);
  const hold = await takeOver(settings.storage.place, upload.id, settings.line);
  try {
    await settings.onCreate?.(upload, request);
    await settings.storage.create(upload);
    const made: UploadInfo = { ...upload, offset: 0, hasBytes: true, phase: "receiving", headers: {} };
    reporterOf(settings, made);
    await settleReports(settings, upload.id);
    const about = {
      location,
      "upload-draft-interop-version": IETF_VERSION,
      "upload-limit": limitsFor(settings, upload),
    };
    settings.sendInterim?.(104, about);
    const now = await firstBytes(settings, made, () => take(settings, made, body, hold, digest));
    if (completes) return await complete(settings, request, body, now, { status: 201, headers: { location } });
    return empty(201, { ...about, "upload-complete": "?0", "upload-offset": String(now.offset) });
  } finally {
    hold.release();
  }
}

function newUpload(settings: Settings, headers: Headers, lengthBytes: number | undefined): NewUpload {
  const digest = readDigest(headers, "repr-digest");
  const wanted = readWantedDigest(headers);
  const type = headers.get("content-type")?.slice(0, MAX_TEXT_LENGTH);
  const encoding = headers.get("content-encoding")?.slice(0, MAX_TEXT_LENGTH);
  const name = fileNameIn(headers.get("content-disposition"))?.slice(0, MAX_TEXT_LENGTH);
  const nowMs = settings.clock.now();
  return {
    id: newUploadId(),
    lengthBytes,
    metadata: {
      ...(name === undefined ? {} : { filename: name }),
      ...(type === undefined ? {} : { filetype: type }),
      // Section "Content Codings": they are the upload's, and the bytes are stored as they are sent.
      ...(encoding === undefined ? {} : { encoding }),
    },
    notes: {
      ...(digest === undefined ? {} : { [NOTES.digest]: `${digest.name}=${toBase64(digest.value)}` }),
      ...(wanted === undefined ? {} : { [NOTES.wantedDigest]: wanted }),
    },
    isPartial: false,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + settings.expiresMs,
  };
}

/** The first bytes. A sender that was not told the address cannot come back: then nothing stays behind. */
async function firstBytes(
  settings: Settings,
  upload: UploadInfo,
  work: () => Promise<UploadInfo>,
): Promise<UploadInfo> {
  try {
    return await work();
  } catch (error) {
    if (settings.sendInterim === undefined) {
      await settings.storage.remove(upload.id);
      endReport(settings, upload, "failed", isTailraceError(error) ? error.code : "store_unavailable");
    }
    throw error;
  }
}

/** The name in a `Content-Disposition` (RFC 6266 section 4.3); the extended form wins. */
function fileNameIn(header: string | null): string | undefined {
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(header ?? "")?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      // Not what RFC 8187 says: the plain form may be right.
    }
  }
  const [, quoted, token] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header ?? "") ?? [];
  return quoted?.replaceAll(/\\(.)/g, "$1") ?? token;
}
