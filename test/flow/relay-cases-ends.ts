// Failures, redirects, uploads and streams: how an exchange goes, and how it ends.

import { gzipSync } from "node:zlib";
import { chunked, wire, type Peer, type Script } from "./raw-http.ts";
import {
  all,
  answers,
  asked,
  breaks,
  breaksLater,
  choice,
  good,
  header,
  isCut,
  isProblem,
  leaksNothing,
  OK,
  type RelayCase,
  rule,
  sized,
  status,
  statusOf,
  TEXT,
} from "./relay-checks.ts";

const gzip = gzipSync(TEXT);

export const FAILURES: readonly RelayCase[] = [
  rule("a reset before the head", breaks("reset"), isProblem(502, "upstream_failed")),
  rule("an end before the head", breaks("end"), isProblem(502, "upstream_failed")),
  rule("half a head", breaks("end", Buffer.from("HTTP/1.1 200 OK\r\ncontent-le")), isProblem(502, "upstream_failed")),
  rule("a head, and a reset before the body", breaks("reset", wire(OK, ["content-length: 10"])), status(502)),
  rule("a head, and an end before the body", breaks("end", wire(OK, ["content-length: 10"])), status(502)),
  rule(
    "a reset in a body with a length",
    breaksLater("reset", wire(OK, ["content-length: 10"], "abc")),
    all(status(200), isCut),
  ),
  rule(
    "an end in a body with a length",
    breaksLater("end", wire(OK, ["content-length: 10"], "abc")),
    all(status(200), isCut),
  ),
  rule(
    "an end in a chunked body",
    breaksLater("end", wire(OK, ["transfer-encoding: chunked"], "3\r\nabc\r\n")),
    all(status(200), isCut),
  ),
  rule(
    "a chunk size that is none",
    breaks("end", wire(OK, ["transfer-encoding: chunked"], "3\r\nabc\r\nzz\r\n")),
    isCut,
  ),
  rule("more than was announced", breaks("end", wire(OK, ["content-length: 3"], "abcdef")), ({ answer }) =>
    answer?.isWhole === true && answer.body.length > 3 ? ["the surplus is passed on"] : [],
  ),
  choice("silence before the head", (peer) => void peer.request(), isProblem(504, "upstream_slow"), {
    options: { firstByteMs: 80 },
  }),
  choice("silence in the body", answers(wire(OK, ["content-length: 10"], "abc")), all(status(200), isCut), {
    options: { idleMs: 80 },
  }),
  choice(
    "a body over the limit",
    answers(wire(OK, ["transfer-encoding: chunked"], chunked(TEXT, TEXT))),
    (outcome) => (statusOf(outcome) === 502 ? [] : isCut(outcome)),
    {
      options: { maxBytes: 2_000 },
    },
  ),
  choice("a length over the limit", answers(sized(TEXT)), isProblem(502, "limit_exceeded"), {
    options: { maxBytes: 1_000 },
  }),
];

const redirect = (to: string, code = 302): Buffer =>
  wire(`HTTP/1.1 ${code} Found`, [`location: ${to}`, "content-length: 0"]);

/** Answers each path by its own script; the connection is kept. */
function routes(table: Readonly<Record<string, Buffer>>): Script {
  return async (peer: Peer) => {
    const request = await peer.request();
    const path = request?.startLine.split(" ")[1] ?? "";
    peer.end(table[path] ?? sized("unknown", [], "HTTP/1.1 404 Not Found"));
  };
}

const UPLOAD = { method: "POST", headers: ["content-length: 3", "content-type: text/x"], body: Buffer.from("abc") };

export const REDIRECTS: readonly RelayCase[] = [
  rule("a redirect on the same origin", routes({ "/": redirect("/next"), "/next": sized(TEXT) }), good()),
  choice(
    "a redirect to a metadata service",
    routes({ "/": redirect("http://169.254.169.254/latest/meta-data/") }),
    all(isProblem(403, "address_refused"), leaksNothing("169.254")),
  ),
  choice(
    "a redirect to another port of this machine",
    routes({ "/": redirect("http://127.0.0.1:9/") }),
    all(isProblem(403, "address_refused"), leaksNothing("127.0.0.1")),
  ),
  choice(
    "a redirect to a private address in disguise",
    routes({ "/": redirect("http://0x7f.1:9/"), "/next": redirect("http://[::ffff:127.0.0.1]:9/") }),
    isProblem(403, "address_refused"),
  ),
  choice("a redirect to a file", routes({ "/": redirect("file:///etc/hostname") }), isProblem(403, "address_refused")),
  choice(
    "more than five redirects",
    routes(Object.fromEntries(Array.from({ length: 9 }, (_, n) => [n === 0 ? "/" : `/${n}`, redirect(`/${n + 1}`)]))),
    isProblem(502, "upstream_failed"),
  ),
  rule(
    "303 after a POST becomes a GET without its body",
    routes({ "/": redirect("/next", 303), "/next": sized(TEXT) }),
    all(
      good(),
      ({ asked: [, second] }) =>
        second?.startLine === "GET /next HTTP/1.1" && second.body.length === 0
          ? []
          : [`then ${second?.startLine ?? "nothing"}`],
      asked("content-type", undefined, 1),
    ),
    UPLOAD,
  ),
  choice(
    "307 of a streamed body",
    routes({ "/": redirect("/next", 307), "/next": sized(TEXT) }),
    isProblem(502, "upstream_failed"),
    UPLOAD,
  ),
  choice(
    "a redirect is passed where it is asked for",
    routes({ "/": redirect("/next") }),
    all(status(302), header("location", "/next")),
    { options: { redirect: "pass" } },
  ),
];

const echo: Script = async (peer) => {
  const request = await peer.request();
  peer.write(sized(request?.body ?? "", [`x-whole: ${String(request?.isWhole)}`]));
};

export const UPLOADS: readonly RelayCase[] = [
  rule(
    "an upload with a length",
    echo,
    all(good(TEXT), asked("content-length", String(TEXT.length)), asked("content-type", "text/x")),
    { method: "PUT", headers: [`content-length: ${TEXT.length}`, "content-type: text/x"], body: Buffer.from(TEXT) },
  ),
  rule("an upload in chunks", echo, good(TEXT + TEXT), {
    method: "POST",
    headers: ["transfer-encoding: chunked"],
    body: chunked(TEXT, TEXT),
  }),
  rule("an upload by DELETE in chunks", echo, good(TEXT), {
    method: "DELETE",
    headers: ["transfer-encoding: chunked"],
    body: chunked(TEXT),
  }),
  rule("a coded upload keeps its coding", echo, asked("content-encoding", "gzip"), {
    method: "POST",
    headers: [`content-length: ${gzip.length}`, "content-encoding: gzip"],
    body: gzip,
  }),
  rule("a POST without a body", echo, all(good(""), asked("content-length", "0")), {
    method: "POST",
    headers: ["content-length: 0"],
  }),
  rule(
    "an upload that is cut is cut at the upstream",
    async (peer) => void (await peer.request()),
    ({ asked: [request] }) => (request?.isWhole === true ? ["the upstream takes it for whole"] : []),
    { method: "POST", headers: ["content-length: 100"], body: Buffer.from("abc"), isCut: true },
  ),
];

export const STREAMS: readonly RelayCase[] = [
  rule(
    "a slow drip",
    async (peer) => {
      await peer.request();
      peer.write(wire(OK, ["transfer-encoding: chunked"]));
      for (const letter of "abcdefgh") {
        await new Promise((resolve) => setTimeout(resolve, 25));
        peer.write(`1\r\n${letter}\r\n`);
      }
      peer.write("0\r\n\r\n");
    },
    good("abcdefgh"),
  ),
  rule(
    "chunks keep their order",
    answers(wire(OK, ["transfer-encoding: chunked"], chunked(...Array.from({ length: 300 }, (_, n) => `<${n}>`)))),
    good(Array.from({ length: 300 }, (_, n) => `<${n}>`).join("")),
  ),
  choice(
    "an event stream is marked for those on the way",
    answers(
      wire(
        OK,
        ["content-type: text/event-stream", "cache-control: private", "transfer-encoding: chunked"],
        chunked("data: 1\n\n", "data: 2\n\n"),
      ),
    ),
    all(
      good("data: 1\n\ndata: 2\n\n"),
      header("cache-control", "private, no-transform"),
      header("x-accel-buffering", "no"),
    ),
  ),
];
