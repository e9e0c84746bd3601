// Codings and ranges: what a body says of itself is true of it.

import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { chunked, wire, type Script } from "./raw-http.ts";
import {
  all,
  answers,
  asked,
  breaks,
  content,
  good,
  header,
  headerOf,
  isCut,
  OK,
  type RelayCase,
  rule,
  sized,
  status,
  statusOf,
  TEXT,
} from "./relay-checks.ts";

const gzip = gzipSync(TEXT);
const ACCEPT = { headers: ["accept-encoding: gzip, deflate, br, zstd"] };
const coded = (coding: string, bytes: Buffer): Script => answers(sized(bytes, [`content-encoding: ${coding}`]));

export const CODINGS: readonly RelayCase[] = [
  rule("identity with a length", answers(sized(TEXT)), all(good(), header("content-length", String(TEXT.length)))),
  rule("identity in chunks", answers(wire(OK, ["transfer-encoding: chunked"], chunked(TEXT, TEXT))), good(TEXT + TEXT)),
  rule("identity that ends with the connection", breaks("end", wire(OK, ["connection: close"], TEXT)), good()),
  rule("gzip with a length", coded("gzip", gzip), good(), ACCEPT),
  rule("gzip for a client that takes none", coded("gzip", gzip), good(), { headers: ["accept-encoding: identity"] }),
  rule(
    "gzip in chunks",
    answers(wire(OK, ["content-encoding: gzip", "transfer-encoding: chunked"], chunked(gzip))),
    good(),
    ACCEPT,
  ),
  rule("x-gzip", coded("x-gzip", gzip), good(), ACCEPT),
  rule("brotli", coded("br", brotliCompressSync(TEXT)), good(), ACCEPT),
  rule("deflate", coded("deflate", deflateSync(TEXT)), good(), ACCEPT),
  rule("zstd", coded("zstd", zstdCompressSync(TEXT)), good(), ACCEPT),
  rule("two codings", coded("gzip, br", brotliCompressSync(gzip)), good(), ACCEPT),
  rule("a coding in capitals", coded("GZIP", gzip), good(), ACCEPT),
  rule(
    "an unknown coding stays",
    coded("rot13", Buffer.from(TEXT)),
    all(good(), header("content-encoding", "rot13"), header("content-length", String(TEXT.length))),
  ),
  rule(
    "gzip inside an unknown coding stays",
    coded("gzip, rot13", gzip),
    all(good(), header("content-encoding", "gzip, rot13"), header("content-length", String(gzip.length))),
    ACCEPT,
  ),
  rule(
    "Content-Encoding: identity",
    coded("identity", Buffer.from(TEXT)),
    all(good(), header("content-length", String(TEXT.length))),
  ),
  rule(
    "a strong tag does not stay on a body that was decoded",
    answers(sized(gzip, ["content-encoding: gzip", 'etag: "g"'])),
    (outcome) =>
      headerOf(outcome, "content-encoding") === undefined
        ? header("etag", 'W/"g"')(outcome)
        : header("etag", '"g"')(outcome),
    ACCEPT,
  ),
  rule(
    "a damaged gzip is no success",
    coded("gzip", Buffer.concat([gzip.subarray(0, 12), Buffer.alloc(40, 7)])),
    (outcome) => (statusOf(outcome) === 502 || headerOf(outcome, "content-encoding") === "gzip" ? [] : isCut(outcome)),
    ACCEPT,
  ),
];

export const RANGES: readonly RelayCase[] = [
  rule(
    "a range and what belongs to it",
    answers(sized("brown", ["content-range: bytes 10-14/100", 'etag: "r"'], "HTTP/1.1 206 Partial Content")),
    all(
      status(206),
      content("brown"),
      header("content-range", "bytes 10-14/100"),
      header("etag", '"r"'),
      asked("range", "bytes=10-14"),
      asked("if-range", '"r"'),
    ),
    { headers: ["range: bytes=10-14", 'if-range: "r"'] },
  ),
  rule(
    "with a range no coding is asked for that would be decoded",
    answers(sized(TEXT)),
    ({ asked: [request] }) => {
      const value = request?.headers.get("accept-encoding")?.[0] ?? "";
      return value === "identity" || value === "gzip;q=0.5" ? [] : [`accept-encoding: ${value}`];
    },
    { headers: ["range: bytes=0-", "accept-encoding: gzip;q=0.5"] },
  ),
  rule(
    "416",
    answers(sized("", ["content-range: bytes */100"], "HTTP/1.1 416 Range Not Satisfiable")),
    all(status(416), header("content-range", "bytes */100")),
    { headers: ["range: bytes=200-"] },
  ),
  rule(
    "a part of a coded body is not passed on as if it were plain",
    answers(
      sized(
        gzip.subarray(0, 50),
        ["content-encoding: gzip", "content-range: bytes 0-49/900"],
        "HTTP/1.1 206 Partial Content",
      ),
    ),
    (outcome) =>
      statusOf(outcome) === 502 ||
      (outcome.answer?.isWhole === true &&
        outcome.answer.body.equals(gzip.subarray(0, 50)) &&
        headerOf(outcome, "content-encoding") === "gzip")
        ? []
        : [
            `status ${statusOf(outcome)}, ${outcome.answer?.body.length ?? 0} bytes, content-encoding ${headerOf(outcome, "content-encoding") ?? "none"}`,
          ],
    { headers: ["range: bytes=0-49"] },
  ),
  rule(
    "304",
    answers(wire("HTTP/1.1 304 Not Modified", ['etag: "r"'])),
    all(status(304), content(""), header("etag", '"r"'), asked("if-none-match", '"r"')),
    { headers: ['if-none-match: "r"'] },
  ),
];
