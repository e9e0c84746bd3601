// What a browser asks before a page of another origin may upload (the Fetch standard, "CORS protocol").

import type { UploadCors } from "./options.ts";

const METHODS = "POST, PUT, PATCH, HEAD, GET, DELETE, OPTIONS";
const REQUEST_HEADERS = [
  "Content-Type",
  "Content-Digest",
  "Repr-Digest",
  "Want-Repr-Digest",
  "Content-Disposition",
  "Tus-Resumable",
  "Upload-Checksum",
  "Upload-Complete",
  "Upload-Concat",
  "Upload-Defer-Length",
  "Upload-Draft-Interop-Version",
  "Upload-Length",
  "Upload-Metadata",
  "Upload-Offset",
  "X-HTTP-Method-Override",
  "X-Requested-With",
  "X-Request-ID",
];
const RESPONSE_HEADERS = [
  "Location",
  "Repr-Digest",
  "Tus-Checksum-Algorithm",
  "Tus-Extension",
  "Tus-Max-Size",
  "Tus-Resumable",
  "Tus-Version",
  "Upload-Complete",
  "Upload-Concat",
  "Upload-Defer-Length",
  "Upload-Draft-Interop-Version",
  "Upload-Expires",
  "Upload-Length",
  "Upload-Limit",
  "Upload-Metadata",
  "Upload-Offset",
];

/** Adds to `headers` what the request's page may do. */
export function allowOrigin(cors: UploadCors | undefined, request: Request, headers: Headers): void {
  if (cors === undefined) return;
  const origin = request.headers.get("origin");
  // The answer differs by origin, so a cache must not mix them up.
  if (cors.allowOrigins !== "*") headers.append("vary", "Origin");
  if (origin === null || (cors.allowOrigins !== "*" && !cors.allowOrigins.includes(origin))) return;
  headers.set("access-control-allow-origin", cors.allowOrigins === "*" ? "*" : origin);
  if (cors.allowCredentials === true && cors.allowOrigins !== "*") {
    headers.set("access-control-allow-credentials", "true");
  }
  headers.set("access-control-expose-headers", [...RESPONSE_HEADERS, ...(cors.exposeHeaders ?? [])].join(", "));
  if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method")) return;
  headers.set("access-control-allow-methods", METHODS);
  headers.set("access-control-allow-headers", [...REQUEST_HEADERS, ...(cors.allowHeaders ?? [])].join(", "));
  headers.set("access-control-max-age", String(Math.floor((cors.maxAgeMs ?? 86_400_000) / 1_000)));
}
