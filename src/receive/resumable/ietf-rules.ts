// What the requests of the IETF draft have in common: its limits, its lengths and its problem types. "Section" in these comments is one of
// draft-ietf-httpbis-resumable-upload-12.

import { isTailraceError, TailraceError } from "../../errors.ts";
import type { Settings } from "./options.ts";
import type { UploadBody } from "./upload-body.ts";
import type { UploadInfo } from "./storage.ts";
import { readInteger } from "./structured-fields.ts";
import { tooLarge } from "./upload-errors.ts";

/** The draft's own version number, until it is an RFC. */
export const IETF_VERSION = "8";
/** Section "Media Type". */
export const PARTIAL_TYPE = "application/partial-upload";

const PROBLEMS = "https://iana.org/assignments/http-problem-types#";

/** Section "Limits", as an `Upload-Limit`: what is left of an upload's life is told in whole seconds. */
export function limitsOf(settings: Settings, lifeMs: number): string {
  const limits = [`max-size=${settings.maxBytes}`];
  if (settings.maxAppendBytes !== undefined) limits.push(`max-append-size=${settings.maxAppendBytes}`);
  limits.push(`max-age=${Math.max(0, Math.floor(lifeMs / 1_000))}`);
  return limits.join(", ");
}

export function limitsFor(settings: Settings, upload: Pick<UploadInfo, "expiresAtMs">): string {
  return limitsOf(settings, upload.expiresAtMs - settings.clock.now());
}

/** Section "Length": what a request says of the whole, in its two ways, which must agree. */
export function toldLength(headers: Headers, body: UploadBody, completes: boolean, offset: number): number | undefined {
  const told = readInteger(headers, "upload-length");
  const { declaredBytes } = body;
  const implied = completes && declaredBytes !== undefined ? offset + declaredBytes : undefined;
  if (told !== undefined && implied !== undefined && told !== implied) throw inconsistentLength(told, implied);
  return told ?? implied;
}

/** The length of `upload` with what was told of it now. @throws 400 if that contradicts what is known, 413 if it is too much */
export function checkLength(
  settings: Settings,
  told: number | undefined,
  upload: Pick<UploadInfo, "lengthBytes" | "offset">,
): number | undefined {
  const { lengthBytes, offset } = upload;
  if (told === undefined) return lengthBytes;
  if (lengthBytes !== undefined && told !== lengthBytes) throw inconsistentLength(lengthBytes, told);
  if (told < offset) throw inconsistentLength(offset, told);
  if (told > settings.maxBytes) throw tooLarge(settings.maxBytes);
  return told;
}

/** Section "Inconsistent Length". */
export function inconsistentLength(known: number, told: number): TailraceError {
  return new TailraceError("conflict", `The upload has ${known} bytes by one account and ${told} by another.`, {
    status: 400,
    details: { type: `${PROBLEMS}inconsistent-upload-length`, title: "Inconsistent Upload Length Values" },
  });
}

/** Section "Completed Upload"; bytes for one are an inconsistent length (section "Upload Append"). */
export function uploadCompleted(lengthBytes: number, bringsContent: boolean): TailraceError {
  if (bringsContent) return inconsistentLength(lengthBytes, lengthBytes + 1);
  return new TailraceError("conflict", "The upload is complete already; nothing can be appended.", {
    status: 400,
    details: { type: `${PROBLEMS}completed-upload`, title: "Upload Is Completed" },
  });
}

/** Section "Mismatching Offset": the same error with the draft's own members. Others stay as they are. */
export function asProblem(error: unknown): unknown {
  if (!isTailraceError(error, "conflict") || typeof error.details["offset"] !== "number") return error;
  return new TailraceError("conflict", error.message, {
    details: {
      type: `${PROBLEMS}mismatching-upload-offset`,
      title: "Mismatching Upload Offset",
      "expected-offset": error.details["offset"],
      "provided-offset": error.details["askedOffset"],
    },
  });
}
