// Which representation of a file a request gets, and by which validators that one is known.

import { TailraceError } from "../errors.ts";
import { acceptedEncodings, type Encoding } from "../http/precompressed.ts";
import { isEntityTag } from "../http/validators.ts";
import type { FileSource } from "./file-source.ts";

/** The chosen representation. */
export interface Choice {
  readonly source: FileSource;
  /** The file itself, whose name and type also hold for its encoded copies. */
  readonly original: FileSource;
  readonly encoding: Encoding | undefined;
  /** Whether another request might have got another one. */
  readonly varies: boolean;
  readonly etag: string | undefined;
  readonly lastModifiedSeconds: number | undefined;
}

interface Named {
  readonly etag?: string | undefined;
  readonly lastModifiedMs?: number | undefined;
}

/**
 * Chooses by `Accept-Encoding`.
 *
 * @throws {TailraceError} `encode_refused` for an entity tag without its quotes.
 */
export function chooseVariant(
  request: Request,
  original: FileSource,
  variants: readonly { readonly encoding: Encoding; readonly source: FileSource }[] | undefined,
  named: Named,
): Choice {
  const [wanted] =
    variants === undefined
      ? []
      : acceptedEncodings(
          request.headers.get("accept-encoding"),
          variants.map(({ encoding }) => encoding),
        );
  const chosen = variants?.find(({ encoding }) => encoding === wanted);
  const plainTag = checkedTag(named.etag ?? original.etag);
  const lastModifiedMs = named.lastModifiedMs ?? original.lastModifiedMs;
  return {
    source: chosen?.source ?? original,
    original,
    encoding: chosen?.encoding,
    varies: variants !== undefined,
    etag: chosen === undefined ? plainTag : variantTag(chosen.encoding, plainTag, named.etag, chosen.source.etag),
    lastModifiedSeconds: lastModifiedMs === undefined ? undefined : Math.floor(lastModifiedMs / 1_000),
  };
}

/** RFC 9110 section 8.8.3.3: the tags of two encodings of one thing differ. */
function variantTag(
  encoding: Encoding,
  plainTag: string | undefined,
  given: string | undefined,
  own: string | undefined,
): string | undefined {
  if (given === undefined && own !== undefined && own !== plainTag) return checkedTag(own);
  return plainTag?.replace(/"$/, `-${encoding}"`);
}

function checkedTag(etag: string | undefined): string | undefined {
  if (etag === undefined || isEntityTag(etag)) return etag;
  throw new TailraceError(
    "encode_refused",
    `${JSON.stringify(etag)} is no entity tag: give it with quotes, as '"v1"'.`,
  );
}
