// `receiveForm`: every file and field of a multipart/form-data body, streamed; all of its files, or none.

import { TailraceError } from "../errors.ts";
import { RequestBody } from "./body.ts";
import { FileIntake, type Received } from "./file-intake.ts";
import { boundaryOf, MultipartParser } from "./multipart.ts";
import { malformed, type PartHead } from "./part-head.ts";
import {
  type Audience,
  audienceOf,
  bodyLimits,
  codeOf,
  DEFAULT_MAX_BYTES,
  type UploadOptions,
} from "./receive-options.ts";
import { safeName } from "./safe-name.ts";

export interface FormOptions extends UploadOptions {
  /** The most parts, fields and files together. Default 100. */
  readonly maxParts?: number | undefined;
  /** The most files. Default 10. */
  readonly maxFiles?: number | undefined;
  /** The largest file, in bytes. Default 104,857,600 (100 MiB). */
  readonly maxFileBytes?: number | undefined;
  /** The largest field, in bytes. Default 65,536. */
  readonly maxFieldBytes?: number | undefined;
  /** The largest header of a part, in bytes. Default 8,192. */
  readonly maxHeaderBytes?: number | undefined;
  /** The largest body, in bytes. Default 268,435,456 (256 MiB), or 1 MiB more than `maxFileBytes` if that is larger. */
  readonly maxTotalBytes?: number | undefined;
}

/** A file of a form. */
export interface FormFile extends Received {
  /** The name of the field that it came in. */
  readonly field: string;
}

/** What a form held. */
export interface Form {
  /** In the order in which they came. A file field in which nothing was chosen is not among them. */
  readonly files: readonly FormFile[];
  /** The other fields; `getAll` gives all values of one name. */
  readonly fields: URLSearchParams;
}

/** For the one file of a form that `receive` takes. */
export interface ReadFormOptions extends FormOptions {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly minFiles?: number | undefined;
  /** What the one file must have. */
  readonly expectedBytes?: number | undefined;
}

/** The defaults; `receive` has its own for the sizes. */
const MAX_TOTAL_BYTES = 268_435_456;

/**
 * Receives a form. Its files go to the sink as they come and are committed together once the whole form is there and right; on any
 * failure none of them is left. Progress counts the bytes of the body.
 *
 * @throws {TailraceError} as {@link receive} does, and `type_refused` (415) for a request that is no form
 */
export async function receiveForm(request: Request, options: FormOptions): Promise<Form> {
  const boundary = boundaryOf(request.headers.get("content-type"));
  if (boundary === undefined) {
    const message = "The request is not multipart/form-data; send a form, or receive its body with receive().";
    throw new TailraceError("type_refused", message);
  }
  return readForm(request, boundary, options);
}

/** Reads the form that `boundary` parts. */
export async function readForm(request: Request, boundary: string, options: ReadFormOptions): Promise<Form> {
  const { maxFileBytes = DEFAULT_MAX_BYTES } = options;
  const { maxTotalBytes = Math.max(MAX_TOTAL_BYTES, maxFileBytes + 1_048_576) } = options;
  const audience = audienceOf(options, options.id ?? crypto.randomUUID(), options.name);
  const form = new FormIntake({ ...options, maxFileBytes });
  let body: RequestBody | undefined;
  try {
    body = new RequestBody(request, bodyLimits(options, { maxBytes: maxTotalBytes }));
    if (body.declaredBytes !== undefined) audience.setTotal(body.declaredBytes);
    await readParts(body, form, new MultipartParser(boundary, form.parserLimits), audience);
    audience.to("verifying");
    const received = await body.during(form.commit());
    audience.to("complete");
    return received;
  } catch (error) {
    body?.close();
    await form.abort();
    audience.to("failed", codeOf(error));
    throw error;
  } finally {
    body?.close();
  }
}

async function readParts(
  body: RequestBody,
  form: FormIntake,
  parser: MultipartParser,
  audience: Audience,
): Promise<void> {
  for (;;) {
    const token = parser.next();
    switch (token.kind) {
      case "data": {
        const written = form.write(token.bytes);
        if (written !== undefined) await body.during(written);
        break;
      }
      case "head":
        form.begin(token.head);
        break;
      case "partEnd":
        await body.during(form.endPart());
        break;
      case "need": {
        audience.stored(body.bytes);
        const next = body.next();
        const chunk = next instanceof Promise ? await next : next;
        if (chunk === undefined) {
          parser.finish();
          return;
        }
        parser.push(chunk);
        break;
      }
      case "end":
    }
  }
}

interface OpenField {
  readonly name: string;
  readonly chunks: Uint8Array[];
  bytes: number;
}

/** The files and fields of one form, as they come in. */
class FormIntake {
  readonly #options: ReadFormOptions & { readonly maxFileBytes: number };
  readonly #files: { readonly intake: FileIntake; readonly field: string }[] = [];
  readonly #fields: URLSearchParams = new URLSearchParams();
  #file: { readonly intake: FileIntake; readonly head: PartHead } | undefined;
  #field: OpenField | undefined;

  constructor(options: ReadFormOptions & { readonly maxFileBytes: number }) {
    this.#options = options;
  }

  get parserLimits(): { readonly maxParts: number; readonly maxHeaderBytes: number } {
    const { maxParts = 100, maxHeaderBytes = 8_192 } = this.#options;
    return { maxParts, maxHeaderBytes };
  }

  begin(head: PartHead): void {
    if (head.fileName === undefined) {
      this.#field = { name: head.name, chunks: [], bytes: 0 };
      return;
    }
    const {
      to: sink,
      types,
      sha256 = true,
      maxFileBytes: maxBytes,
      id = crypto.randomUUID(),
      expectedBytes,
    } = this.#options;
    const given = this.#options.name ?? head.fileName;
    const name = given === "" ? undefined : safeName(given);
    this.#file = { head, intake: new FileIntake({ sink, id, name, expectedBytes, maxBytes, types, sha256 }) };
  }

  write(bytes: Uint8Array): Promise<void> | void {
    if (this.#file !== undefined) {
      if (this.#file.intake.bytes === 0) this.#countFile();
      return this.#file.intake.write(bytes);
    }
    if (this.#field === undefined) return undefined;
    const { maxFieldBytes = 65_536 } = this.#options;
    this.#field.bytes += bytes.byteLength;
    if (this.#field.bytes > maxFieldBytes) {
      const message = `A field of the form is larger than ${maxFieldBytes.toLocaleString("en")} bytes; send less.`;
      throw new TailraceError("limit_exceeded", message, { details: { maxFieldBytes } });
    }
    this.#field.chunks.push(bytes.slice()); // a view would keep the whole chunk around it
    return undefined;
  }

  async endPart(): Promise<void> {
    const field = this.#field;
    this.#field = undefined;
    if (field !== undefined) this.#fields.append(field.name, decodeField(field));
    const file = this.#file;
    if (file === undefined) return;
    // What browsers send for a file field in which nothing was chosen.
    const isNothing = file.head.fileName === "" && file.intake.bytes === 0;
    if (!isNothing) {
      if (file.intake.bytes === 0) this.#countFile();
      const { expectedBytes } = this.#options;
      if (expectedBytes !== undefined && file.intake.bytes !== expectedBytes)
        throw wrongSize(file.intake.bytes, expectedBytes);
      await file.intake.end();
      this.#files.push({ intake: file.intake, field: file.head.name });
    }
    this.#file = undefined;
  }

  async commit(): Promise<Form> {
    const { minFiles = 0 } = this.#options;
    if (this.#files.length < minFiles) {
      throw new TailraceError("input_invalid", "The form holds no file; choose one and send it again.");
    }
    const files: FormFile[] = [];
    for (const { intake, field } of this.#files) files.push({ ...(await intake.commit()), field });
    return { files, fields: this.#fields };
  }

  async abort(): Promise<void> {
    await this.#file?.intake.abort();
    for (const { intake } of this.#files) await intake.abort();
  }

  /** Before anything of one more file is stored. */
  #countFile(): void {
    const { maxFiles = 10 } = this.#options;
    if (this.#files.length < maxFiles) return;
    const message = `The form has more than ${maxFiles.toLocaleString("en")} ${maxFiles === 1 ? "file" : "files"}; send fewer.`;
    throw new TailraceError("limit_exceeded", message, { details: { maxFiles } });
  }
}

function decodeField({ chunks, bytes, name }: OpenField): string {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(whole);
  } catch {
    throw malformed(`its field ${JSON.stringify(name.slice(0, 50))} is not UTF-8`);
  }
}

function wrongSize(receivedBytes: number, expectedBytes: number): TailraceError {
  const [received, expected] = [receivedBytes, expectedBytes].map((bytes) => bytes.toLocaleString("en"));
  return new TailraceError("truncated", `The file has ${received} bytes and should have ${expected}; send it again.`, {
    details: { receivedBytes, expectedBytes },
  });
}
