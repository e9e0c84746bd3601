// The header fields of tus 1.0, read strictly: what is not exactly of the form is refused, never guessed at.

import { fromBase64 } from "./base64.ts";
import { type ExpectedDigest, tusAlgorithm, tusAlgorithms } from "./digest.ts";
import { TailraceError } from "../../errors.ts";
import { headerInvalid } from "./upload-errors.ts";
import { uploadRoute } from "./upload-id.ts";

/** What an `Upload-Metadata` header said. */
export interface TusMetadata {
  /** The header as it came, for the answer to HEAD. */
  readonly header: string | undefined;
  readonly values: Readonly<Record<string, string>>;
}

/** A number of bytes: digits only, and safe as an integer; undefined if the header is absent. @throws 400 if it is anything else */
export function readCount(headers: Headers, name: string): number | undefined {
  const text = headers.get(name);
  if (text === null) return undefined;
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw headerInvalid(name, "it takes a number of bytes, digits only");
  return count;
}

/**
 * tus "Upload-Metadata": pairs of a key and a base64 value, separated by commas; the value may be missing. Values come out as UTF-8 text,
 * with replacement characters for what is none.
 */
export function readMetadata(headers: Headers, maxBytes: number): TusMetadata {
  const header = headers.get("upload-metadata");
  if (header === null || header === "") return { header: undefined, values: {} };
  if (header.length > maxBytes) {
    throw new TailraceError(
      "limit_exceeded",
      `Upload-Metadata has ${header.length} bytes, more than the ${maxBytes} that are allowed; say less.`,
      { status: 413, details: { maxBytes } },
    );
  }
  const decoder = new TextDecoder();
  const seen = new Set<string>();
  const pairs = header.split(",").map((pair): [string, string] => {
    const [key = "", value = "", ...rest] = pair.trim().split(" ");
    const bytes = fromBase64(value);
    // Visible ASCII: keys end up in logs and on pages.
    if (!/^[!-~]+$/.test(key) || bytes === undefined || rest.length > 0 || seen.has(key)) {
      throw headerInvalid("Upload-Metadata", "it takes pairs of a unique key and a base64 value, separated by commas");
    }
    seen.add(key);
    return [key, decoder.decode(bytes)];
  });
  return { header, values: Object.fromEntries(pairs) };
}

/** tus "Upload-Checksum". @throws 400 if the algorithm is not offered or the value is not base64 */
export function readChecksum(headers: Headers): ExpectedDigest | undefined {
  const header = headers.get("upload-checksum");
  if (header === null) return undefined;
  const [name = "", text = "", ...rest] = header.split(" ");
  const algorithm = tusAlgorithm(name);
  const value = fromBase64(text);
  if (algorithm === undefined || value === undefined || text === "" || rest.length > 0) {
    throw headerInvalid("Upload-Checksum", `it takes one of ${tusAlgorithms().join(", ")}, a space and base64`);
  }
  return { name, algorithm, value };
}

/** What `Upload-Concat` asks for. */
export type Concat =
  | { readonly kind: "none" }
  | { readonly kind: "partial" }
  | { readonly kind: "final"; readonly partIds: readonly string[]; readonly header: string };

/**
 * tus "Upload-Concat". The parts' addresses may be absolute or relative to the request; only their path counts, and each must be an upload
 * of ours.
 */
export function readConcat(request: Request, basePath: string, maxCount: number): Concat {
  const header = request.headers.get("upload-concat");
  if (header === null) return { kind: "none" };
  if (header === "partial") return { kind: "partial" };
  const list = /^final; ?(.+)$/.exec(header)?.[1];
  if (list === undefined) throw headerInvalid("Upload-Concat", "it is partial, or final; and the parts' addresses");
  const addresses = list.split(" ").filter((address) => address !== "");
  if (addresses.length > maxCount) {
    throw new TailraceError(
      "limit_exceeded",
      `Upload-Concat names ${addresses.length} parts, more than the ${maxCount} that are allowed; make larger parts.`,
      { status: 413, details: { maxConcatCount: maxCount } },
    );
  }
  const partIds = addresses.map((address) => {
    const url = URL.canParse(address, request.url) ? new URL(address, request.url).href : undefined;
    const route = url === undefined ? { kind: "none" as const } : uploadRoute(url, basePath);
    if (route.kind !== "upload") throw headerInvalid("Upload-Concat", "every part must be an upload of this server");
    return route.id;
  });
  return { kind: "final", partIds, header };
}
