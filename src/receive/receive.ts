// `receive`: one file out of a request, streamed into a sink and never held; whole and checked, or not there at all.

import { TailraceError } from "../errors.ts";
import { RequestBody } from "./body.ts";
import { FileIntake, type Received } from "./file-intake.ts";
import { boundaryOf } from "./multipart.ts";
import { parseParameters } from "./part-head.ts";
import { type Form, readForm } from "./receive-form.ts";
import { audienceOf, bodyLimits, codeOf, DEFAULT_MAX_BYTES, type UploadOptions } from "./receive-options.ts";
import { safeName } from "./safe-name.ts";

export interface ReceiveOptions extends UploadOptions {
  /** Names the upload; letters, digits, `-` and `_`. Default: one that cannot be guessed. */
  readonly id?: string | undefined;
  /** The file's name, for example from the query. Default: the one of `Content-Disposition` or of the form. Made safe by `safeName`. */
  readonly name?: string | undefined;
  /** The largest file, in bytes. Default 104,857,600 (100 MiB). */
  readonly maxBytes?: number | undefined;
  /** The size that the file must have, where it is known, in bytes. */
  readonly expectedBytes?: number | undefined;
}

/** One file, and the other fields of its form. */
export interface ReceivedFile extends Received {
  /** The fields of the form that the file came in; empty for a body that is the file itself. */
  readonly fields: URLSearchParams;
}

/** The room for the boundaries, headers and fields around the one file of a form, in bytes. */
const FORM_ROOM_BYTES = 1_048_576;

/**
 * Receives one file: the request's body as it is, or the one file of a `multipart/form-data` form. Resolves once the sink has committed
 * it. On any failure the sink is told to abort, so that nothing is left, and the promise rejects; answer with `problem(error)`.
 *
 * ```ts
 * export async function POST(request: Request): Promise<Response> {
 *   try {
 *     const { id, name, bytes, sha256 } = await receive(request, { to: uploads, maxBytes: 1_000_000_000 });
 *     return Response.json({ id, name, bytes, sha256 }, { status: 201 });
 *   } catch (error) {
 *     return problem(error);
 *   }
 * }
 * ```
 *
 * @throws {TailraceError} `limit_exceeded` (413), before anything is read where Content-Length tells; `truncated` (400) for a body that
 *   is shorter than announced; `digest_mismatch` (400); `type_refused` (415); `too_slow` (408); `decode_failed` (400) for a form that
 *   cannot be read; `input_invalid` (422) for a form without a file; `aborted` (499) when the sender or the caller left
 */
export async function receive(request: Request, options: ReceiveOptions): Promise<ReceivedFile> {
  const id = options.id ?? crypto.randomUUID();
  if (!/^[\w-]{1,64}$/.test(id)) {
    throw new TailraceError("input_invalid", "An upload's id is 1 to 64 letters, digits, - and _.", {
      details: { field: "id" },
    });
  }
  const boundary = boundaryOf(request.headers.get("content-type"));
  return boundary === undefined
    ? receiveRaw(request, id, options)
    : receiveFromForm(request, { ...options, id }, boundary);
}

async function receiveRaw(request: Request, id: string, options: ReceiveOptions): Promise<ReceivedFile> {
  const given = options.name ?? nameOf(request.headers);
  const name = given === undefined || given === "" ? undefined : safeName(given);
  const { maxBytes = DEFAULT_MAX_BYTES, expectedBytes } = options;
  const audience = audienceOf(options, id, name);
  let body: RequestBody | undefined;
  let intake: FileIntake | undefined;
  try {
    body = new RequestBody(request, bodyLimits(options, { maxBytes, expectedBytes }));
    const totalBytes = body.declaredBytes ?? expectedBytes;
    if (totalBytes !== undefined) audience.setTotal(totalBytes);
    const { to: sink, types, sha256 = true } = options;
    intake = new FileIntake({ sink, id, name, expectedBytes: totalBytes, types, sha256 });
    for (;;) {
      const next = body.next();
      const chunk = next instanceof Promise ? await next : next;
      if (chunk === undefined) break;
      const written = intake.write(chunk);
      if (written !== undefined) await body.during(written);
      audience.stored(intake.bytes);
    }
    audience.to("verifying");
    await body.during(intake.end());
    const received = await body.during(intake.commit());
    audience.to("complete");
    return { ...received, fields: new URLSearchParams() };
  } catch (error) {
    body?.close();
    await intake?.abort();
    audience.to("failed", codeOf(error));
    throw error;
  } finally {
    body?.close();
  }
}

async function receiveFromForm(
  request: Request,
  options: ReceiveOptions & { readonly id: string },
  boundary: string,
): Promise<ReceivedFile> {
  const { maxBytes = DEFAULT_MAX_BYTES, expectedBytes } = options;
  const form: Form = await readForm(request, boundary, {
    ...options,
    maxFiles: 1,
    minFiles: 1,
    maxFileBytes: Math.min(maxBytes, expectedBytes ?? maxBytes),
    maxTotalBytes: maxBytes + FORM_ROOM_BYTES,
    expectedBytes,
  });
  const [file] = form.files;
  if (file === undefined) throw new TailraceError("input_invalid", "The form holds no file.");
  const { field: _field, ...received } = file;
  return { ...received, fields: form.fields };
}

/** The name in a request's Content-Disposition, which some clients send with a bare file. */
function nameOf(headers: Headers): string | undefined {
  const disposition = headers.get("content-disposition");
  if (disposition === null) return undefined;
  const { parameters } = parseParameters(disposition);
  const extended = parameters.get("filename*");
  const [, encoded] = extended === undefined ? [] : (/^utf-8'[^']*'(.*)$/i.exec(extended) ?? []);
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded);
  } catch {
    // Not UTF-8: the plain name is there for that.
  }
  return parameters.get("filename");
}
