// What goes wrong with uploads, in one place: the codes, the statuses and what the sender can do.

import { TailraceError } from "../../errors.ts";

export function uploadUnknown(): TailraceError {
  return new TailraceError("not_found", "There is no upload at this address; create a new one.");
}

/** tus "Upload-Expires": 410 while we still know of it. */
export function uploadExpired(): TailraceError {
  return new TailraceError("not_found", "The upload has expired; create a new one.", { status: 410 });
}

export function headerInvalid(name: string, expected: string): TailraceError {
  return new TailraceError("input_invalid", `The header ${name} is missing or malformed; ${expected}.`, {
    status: 400,
    details: { header: name },
  });
}

export function typeWrong(expected: string): TailraceError {
  return new TailraceError("type_refused", `The body is of another type; send Content-Type: ${expected}.`);
}

export function methodWrong(allowed: string): TailraceError {
  return new TailraceError("input_invalid", `This address takes ${allowed} only.`, {
    status: 405,
    details: { allowed },
  });
}

export function offsetConflict(asked: number, offset: number): TailraceError {
  return new TailraceError("conflict", `The upload stands at ${offset} bytes, not at ${asked}; continue from there.`, {
    details: { offset, askedOffset: asked },
  });
}

export function lengthConflict(known: number, told: number): TailraceError {
  return new TailraceError(
    "conflict",
    `The upload's length is ${known} bytes, and this request says ${told}; it cannot change.`,
    { status: 400, details: { lengthBytes: known, toldBytes: told } },
  );
}

export function tooLarge(maxBytes: number): TailraceError {
  return new TailraceError("limit_exceeded", `The upload is larger than ${maxBytes} bytes; send less.`, {
    details: { maxBytes },
  });
}

/** One request may bring less than the whole upload. */
export function appendTooLarge(maxAppendBytes: number): TailraceError {
  return new TailraceError(
    "limit_exceeded",
    `The body is larger than the ${maxAppendBytes} bytes that one request may bring; send it in several.`,
    { details: { maxAppendBytes } },
  );
}

/** More bytes than the length that the sender gave. */
export function lengthExceeded(lengthBytes: number): TailraceError {
  return new TailraceError(
    "limit_exceeded",
    `The body goes past the upload's length of ${lengthBytes} bytes; what goes past it was not kept.`,
    { details: { lengthBytes } },
  );
}

/** Status 460 is that of the tus checksum extension. */
export function digestMismatch(name: string, status: 400 | 460): TailraceError {
  return new TailraceError(
    "digest_mismatch",
    `The ${name} of the bytes is not what the request says: they were changed on their way and not kept. Send them again.`,
    { status, details: { algorithm: name } },
  );
}

export function bodyCut(declaredBytes: number): TailraceError {
  return new TailraceError(
    "truncated",
    `The body ended before the ${declaredBytes} bytes of its Content-Length: a host on the way has cut it. Resume from the offset.`,
    { details: { declaredBytes } },
  );
}

export function takenOver(): TailraceError {
  return new TailraceError(
    "aborted",
    "A newer request for this upload has ended this one; what was stored counts. Ask for the offset.",
    { status: 409 },
  );
}

export function senderGone(cause: unknown): TailraceError {
  return new TailraceError("aborted", "The sender's connection broke off; what was stored counts.", { cause });
}
