// Statuses and headers: what goes on, and what stays behind.

import { gzipSync } from "node:zlib";
import { wire } from "./raw-http.ts";
import {
  all,
  answers,
  asked,
  choice,
  content,
  good,
  header,
  headerOf,
  OK,
  type RelayCase,
  rule,
  sized,
  status,
  TEXT,
} from "./relay-checks.ts";

const gzip = gzipSync(TEXT);
const ACCEPT = { headers: ["accept-encoding: gzip, deflate, br, zstd"] };

export const STATUSES: readonly RelayCase[] = [
  rule(
    "204",
    answers(wire("HTTP/1.1 204 No Content", ["x-a: 1"])),
    all(status(204), content(""), header("x-a", "1"), header("content-length", undefined)),
  ),
  rule(
    "205",
    answers(sized("", ["x-a: 1"], "HTTP/1.1 205 Reset Content")),
    all(status(205), content(""), header("x-a", "1")),
  ),
  rule(
    "HEAD",
    answers(wire(OK, ["content-length: 12345", "x-a: 1"])),
    all(status(200), content(""), header("content-length", "12345"), header("x-a", "1")),
    { method: "HEAD" },
  ),
  rule(
    "HEAD of a coded body tells what GET would",
    answers(wire(OK, [`content-length: ${gzip.length}`, "content-encoding: gzip"])),
    (outcome) =>
      headerOf(outcome, "content-encoding") === "gzip" || headerOf(outcome, "content-length") === undefined
        ? status(200)(outcome)
        : ["the coded length stands without the coding"],
    { method: "HEAD", ...ACCEPT },
  ),
  rule(
    "103 before the answer",
    answers(wire("HTTP/1.1 103 Early Hints", ["link: </a>; rel=preload"]), sized(TEXT)),
    all(good(), header("link", undefined)),
  ),
  rule("100 before the answer", answers(wire("HTTP/1.1 100 Continue", []), sized(TEXT)), good(), {
    method: "POST",
    headers: ["content-length: 3"],
    notOverFetch: "undici takes a 100 that it has not asked for as a broken answer",
    body: Buffer.from("abc"),
  }),
  rule(
    "404 with its body",
    answers(sized("not here", ["content-type: text/x"], "HTTP/1.1 404 Not Found")),
    all(status(404), content("not here"), header("content-type", "text/x")),
  ),
  rule(
    "503 with Retry-After",
    answers(sized("busy", ["retry-after: 7"], "HTTP/1.1 503 Service Unavailable")),
    all(status(503), content("busy"), header("retry-after", "7")),
  ),
  rule("an empty 200", answers(sized("")), all(good(""), header("content-length", "0"))),
  rule("a status that does not exist (999)", answers(sized("x", [], "HTTP/1.1 999 Odd")), status(502)),
  rule(
    "101 that nobody asked for",
    answers(wire("HTTP/1.1 101 Switching Protocols", ["upgrade: x", "connection: upgrade"])),
    status(502),
  ),
  rule("a status line that is none", answers(Buffer.from("HELLO\r\n\r\n")), status(502)),
  rule("headers of 64 KB", answers(sized("x", [`x-long: ${"a".repeat(65_536)}`])), status(502)),
];

export const HEADERS: readonly RelayCase[] = [
  rule(
    "hop-by-hop fields of the answer",
    answers(
      sized(TEXT, [
        "connection: keep-alive, X-Hop",
        "x-hop: 1",
        "keep-alive: timeout=99",
        "proxy-authenticate: Basic",
        "upgrade: h2c",
        "x-end: 1",
      ]),
    ),
    all(
      good(),
      header("x-hop", undefined),
      header("proxy-authenticate", undefined),
      header("upgrade", undefined),
      header("x-end", "1"),
      (outcome) => (headerOf(outcome, "keep-alive")?.includes("99") === true ? ["keep-alive is the upstream's"] : []),
    ),
  ),
  rule(
    "hop-by-hop fields of the request",
    answers(sized(TEXT)),
    all(
      good(),
      asked("x-hop", undefined),
      asked("te", undefined),
      asked("proxy-authorization", undefined),
      asked("upgrade", undefined),
      asked("x-end", "1"),
      asked("keep-alive", undefined),
    ),
    {
      headers: [
        "connection: close, X-Hop",
        "x-hop: 1",
        "te: trailers",
        "proxy-authorization: Basic eDp5",
        "keep-alive: timeout=9",
        "x-end: 1",
      ],
      options: { forwardHeaders: ["x-hop", "te", "proxy-authorization", "upgrade", "x-end", "keep-alive"] },
    },
  ),
  rule(
    "trailers do no harm",
    answers(
      wire(
        OK,
        ["transfer-encoding: chunked", "trailer: x-sum"],
        Buffer.concat([Buffer.from(`${TEXT.length.toString(16)}\r\n${TEXT}\r\n0\r\nx-sum: 1\r\n\r\n`)]),
      ),
    ),
    all(good(), header("trailer", undefined)),
  ),
  rule("Host is the upstream's", answers(sized(TEXT)), asked("host", /^127\.0\.0\.1:\d+$/), {
    headers: ["host: client.example"],
  }),
  rule(
    "several lines of one name",
    answers(sized(TEXT, ["vary: a", "vary: b"])),
    all(good(), header("vary", /^a, b$|^a \| b$/)),
  ),
  rule(
    "bytes above ASCII in a header",
    answers(sized(TEXT, ["x-name: caf\u00e9"])),
    all(good(), header("x-name", "caf\u00e9")),
  ),
  rule("an event id goes on to the upstream", answers(sized(TEXT)), asked("last-event-id", "5"), {
    headers: ["last-event-id: 5", "accept: text/event-stream"],
  }),
  choice(
    "Alt-Svc speaks of the upstream's origin",
    answers(sized(TEXT, ['alt-svc: h3=":443"'])),
    all(good(), header("alt-svc", undefined)),
  ),
  choice(
    "credentials stay here",
    answers(sized(TEXT)),
    all(asked("authorization", undefined), asked("cookie", undefined)),
    { headers: ["authorization: Bearer t", "cookie: a=1"] },
  ),
  rule("Authorization goes on where it is named", answers(sized(TEXT)), asked("authorization", "Bearer t"), {
    headers: ["authorization: Bearer t"],
    options: { forwardHeaders: ["authorization"] },
  }),
  choice("Set-Cookie is dropped", answers(sized(TEXT, ["set-cookie: a=1"])), header("set-cookie", undefined)),
  rule(
    "cookies both ways where they are asked for",
    answers(sized(TEXT, ["set-cookie: a=1; expires=Wed, 21 Oct 2099 07:28:00 GMT", "set-cookie: b=2"])),
    all(good(), header("set-cookie", /^a=1; expires=Wed, 21 Oct 2099 07:28:00 GMT \| b=2$/i), asked("cookie", "c=3")),
    { headers: ["cookie: c=3"], options: { cookies: true } },
  ),
  choice("X-Forwarded-For of the client is not believed", answers(sized(TEXT)), asked("x-forwarded-for", undefined), {
    headers: ["x-forwarded-for: 10.0.0.1"],
  }),
  choice(
    "Forwarded where it is asked for",
    answers(sized(TEXT)),
    asked("forwarded", 'for="[2001:db8::1]";host=client.example;proto=http'),
    { headers: ["host: client.example"], options: { forwarded: { for: "2001:db8::1" } } },
  ),
];
