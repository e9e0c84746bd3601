// A request's JSON body, bounded: read no further than the limit, parsed, and each fault told with the status that fits.

import { TailraceError } from "../errors.ts";

/** 1 MiB. */
const DEFAULT_MAX_BYTES = 1_048_576;

/**
 * The parsed JSON body of `request`.
 *
 * @param options.maxBytes the largest body, in bytes; default 1,048,576 (1 MiB)
 * @throws {TailraceError} `limit_exceeded` (413) if the body is larger, `input_invalid` with status 400 if it is empty, not
 *   UTF-8 or not JSON, and with status 415 if the request says that it is of another type.
 */
export async function readJson(
  request: Request,
  options: { readonly maxBytes?: number | undefined } = {},
): Promise<unknown> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const type = request.headers.get("content-type");
  if (type !== null && !/^(application|text)\/([\w.+-]*\+)?(json|plain)\b/i.test(type)) {
    throw new TailraceError("input_invalid", `The body is of type ${type.slice(0, 100)}; send application/json.`, {
      status: 415,
    });
  }
  const declared = Number(request.headers.get("content-length") ?? "0");
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const text = await readText(request, maxBytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const what = text.trim() === "" ? "is empty" : "is not JSON";
    throw new TailraceError("input_invalid", `The body ${what}; send a JSON object.`, { status: 400, cause });
  }
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  if (request.body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = request.body.getReader();
  let bytes = 0;
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined); // the sender may have gone already
    if (error instanceof TypeError) {
      throw new TailraceError("input_invalid", "The body is not valid UTF-8; send JSON as UTF-8.", {
        status: 400,
        cause: error,
      });
    }
    throw error;
  }
}

function tooLarge(maxBytes: number): TailraceError {
  const message = `The body is larger than ${maxBytes.toLocaleString("en")} bytes; send less.`;
  return new TailraceError("limit_exceeded", message, { details: { maxBytes } });
}
