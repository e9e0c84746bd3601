// CSV: rows as a table for spreadsheets and databases. A source that fails cuts the connection, as the format has no room for an error.

import type { Source } from "../bytes/source.ts";
import type { NamedSource } from "../log/named.ts";
import { fromPayload } from "../log/payload.ts";
import { createCsvEncoder, type CsvOptions } from "../wire/csv-encode.ts";
import { attachmentHeaders, isAttachment, type AttachmentOptions } from "./attachment.ts";
import type { ReplyOptions } from "./reply.ts";
import type { RowSourceOptions } from "./row-batches.ts";
import { replyRows } from "./rows.ts";
import type { TrailerOptions } from "./trailers.ts";

/** Options of {@link csv}. `guardFormulas` is on by default for an attachment. */
export interface CsvReplyOptions<Row = unknown>
  extends CsvOptions<Row>, ReplyOptions, AttachmentOptions, RowSourceOptions, TrailerOptions {}

/** A named stream is looked up first, hence the promise: 404 if it is not there. */
export function csv<Row>(request: Request, rows: NamedSource<Row>, options?: CsvReplyOptions<Row>): Promise<Response>;
/** Batches of rows, as cursors of databases give them. */
export function csv<Row>(
  request: Request,
  rows: Source<readonly Row[]>,
  options: CsvReplyOptions<Row> & { readonly batches: true },
): Response;
/**
 * Replies with a table: a header, then one record per row (`text/csv`, RFC 4180). Rows are objects or arrays; `createCsvEncoder` says how
 * each kind of value is written. The header leaves at once where `columns` names it. A source that throws cuts the connection, so that a
 * part is never taken for the whole.
 *
 * @throws TailraceError `source_invalid`; `input_invalid` for a delimiter that cannot be one
 */
export function csv<Row>(request: Request, rows: Source<Row>, options?: CsvReplyOptions<Row>): Response;
export function csv<Row>(
  request: Request,
  rows: Source<Row> | Source<readonly Row[]> | NamedSource<Row>,
  options: CsvReplyOptions<Row> = {},
): Response | Promise<Response> {
  const headers = attachmentHeaders(options.headers, options.filename);
  const encoder = createCsvEncoder<Row>({ ...options, guardFormulas: options.guardFormulas ?? isAttachment(headers) });
  const format = {
    contentType: csvType(options),
    open: () => encoder.open(),
    encode: (row: Row): string => encoder.encode(row),
    // A row of a named stream is kept as JSON.
    encodePayload: (payload: Parameters<typeof fromPayload>[0]): string => encoder.encode(fromPayload(payload) as Row),
  };
  const { status, onError, batches, trailers } = options;
  return replyRows<Row>(request, rows as Source<Row>, format, { status, onError, batches, trailers, headers });
}

/**
 * The media type. RFC 4180 section 3 gives it the parameter `header`, which is left out where only the first row will tell; RFC 7111 makes
 * UTF-8 the default charset, and a program that predates it still reads it.
 */
export function csvType({ columns, header }: Pick<CsvOptions, "header"> & { columns?: unknown }): string {
  const type = "text/csv; charset=utf-8";
  if (header === false) return `${type}; header=absent`;
  return columns === undefined ? type : `${type}; header=present`;
}
