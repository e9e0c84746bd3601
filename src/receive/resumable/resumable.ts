// Both protocols at one address: each request says by its headers which of them it speaks.

import { allowOrigin } from "./cors.ts";
import { ietfCapabilities, resumableUpload } from "./ietf.ts";
import { type ResumableOptions, settle } from "./options.ts";
import { tus, tusCapabilities } from "./tus.ts";

/**
 * Answers both tus 1.0 and the IETF draft at one `basePath`: `Tus-Resumable` tells the first, `Upload-Complete`,
 * `Upload-Draft-Interop-Version` and the type `application/partial-upload` the second; so do a HEAD, GET or DELETE that say neither. An
 * upload that was begun by one can be continued by the other.
 */
export async function resumable(request: Request, options: ResumableOptions): Promise<Response> {
  if (request.method === "OPTIONS") return capabilities(request, options);
  return speaksTus(request) ? tus(request, options) : resumableUpload(request, options);
}

function speaksTus({ method, headers }: Request): boolean {
  if (headers.has("tus-resumable") || headers.has("x-http-method-override")) return true;
  if (headers.has("upload-complete") || headers.has("upload-draft-interop-version")) return false;
  if (headers.get("content-type")?.startsWith("application/partial-upload") === true) return false;
  return !["HEAD", "GET", "DELETE"].includes(method); // a client of tus without its version gets the 412
}

function capabilities(request: Request, options: ResumableOptions): Response {
  const settings = settle(options);
  const headers = new Headers({ ...tusCapabilities(settings), ...ietfCapabilities(settings) });
  allowOrigin(settings.cors, request, headers);
  return new Response(null, { status: 204, headers });
}
