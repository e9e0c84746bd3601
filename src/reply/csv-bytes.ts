// CSV that is bytes already, as PostgreSQL's COPY writes it: passed on as it comes, cut when its source fails.

import type { BytePull, Chunk } from "../bytes/byte-pull.ts";
import { assertSource, openSource, type Source } from "../bytes/source.ts";
import { streamHeaders } from "../http/stream-headers.ts";
import { attachmentHeaders, type AttachmentOptions } from "./attachment.ts";
import { makeByteReply } from "./byte-reply.ts";
import { csvType } from "./csv.ts";
import type { ReplyOptions } from "./reply.ts";
import { setTrailers, type TrailerOptions } from "./trailers.ts";

/** Options of {@link csvBytes}. */
export interface CsvBytesOptions extends ReplyOptions, AttachmentOptions, TrailerOptions {
  /** Whether the first record names the columns, which the content type tells. Default: it does not tell. */
  readonly header?: boolean | undefined;
}

const NOTHING: Chunk = new Uint8Array(0);

/**
 * Replies with a table that is CSV already (`text/csv`, UTF-8). Nothing in it is changed, so that **no formula is guarded**: for a file that
 * people open in a spreadsheet use `csv`. A source that throws cuts the connection. A trailer tells the digest, but not the count of rows.
 *
 * @throws TailraceError `source_invalid`
 */
export function csvBytes(request: Request, source: Source<Uint8Array>, options: CsvBytesOptions = {}): Response {
  assertSource(source);
  const { header, filename, status = 200, onError } = options;
  const type = csvType({ header, columns: header });
  const headers = streamHeaders(type, attachmentHeaders(options.headers, filename));
  const response = makeByteReply(
    request,
    { open: () => headersFirst(openSource(source) as BytePull), release: () => undefined },
    { status, headers, onError },
  );
  if (options.trailers === true) setTrailers(response, { rowCount: undefined });
  return response;
}

/** An empty first chunk makes a host send the headers at once, as a query may think for long before its first row. */
function headersFirst(pull: BytePull): BytePull {
  let isFirst = true;
  return {
    next() {
      if (!isFirst) return pull.next();
      isFirst = false;
      return { done: false, value: NOTHING };
    },
    close: () => pull.close(),
  };
}
