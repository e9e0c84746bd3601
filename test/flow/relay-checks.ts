// What can be said of an outcome, and how the table of cases is written.

import type { RelayOptions } from "../../src/flow/relay-options.ts";
import { contentOf, type Message, type Script, wire } from "./raw-http.ts";

/** What came of a case. */
export interface Outcome {
  /** What the client got; undefined if the connection closed without an answer. */
  readonly answer: Message | undefined;
  /** What the upstream was asked, one per connection; undefined for one without a whole head. */
  readonly asked: readonly (Message | undefined)[];
}

export interface RelayCase {
  readonly name: string;
  /** `choice`: what a relay may see differently, and the ways of its defaults. Else a rule of HTTP, or plain sense. */
  readonly kind: "rule" | "choice";
  readonly options?: RelayOptions;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer;
  /** Closes the connection when the body is sent. */
  readonly isCut?: boolean;
  readonly upstream: Script;
  /** Why it cannot be right over Node's own fetch. */
  readonly notOverFetch?: string;
  /** What is wrong with the outcome, one line each. */
  readonly complaints: (outcome: Outcome) => readonly string[];
}

export const TEXT: string = "The quick brown fox jumps over the lazy dog. ".repeat(40);
export const OK = "HTTP/1.1 200 OK";

/** An upstream that waits for the whole request and answers with `bytes`. */
export function answers(...bytes: readonly Buffer[]): Script {
  return async (peer) => {
    await peer.request();
    peer.write(Buffer.concat(bytes));
  };
}

/** The same, and then the connection is closed (`end`) or reset. */
export function breaks(how: "end" | "reset", ...bytes: readonly Buffer[]): Script {
  return async (peer) => {
    await peer.request();
    peer.write(Buffer.concat(bytes));
    if (how === "end") peer.end();
    else peer.socket.resetAndDestroy();
  };
}

/** Breaks off once the client has had time to see the first bytes. */
export function breaksLater(how: "end" | "reset", bytes: Buffer): Script {
  return async (peer) => {
    await peer.request();
    peer.write(bytes);
    await new Promise((resolve) => setTimeout(resolve, 250));
    if (how === "end") peer.end();
    else peer.socket.resetAndDestroy();
  };
}

export function sized(content: string | Buffer, headers: readonly string[] = [], startLine: string = OK): Buffer {
  return wire(startLine, [`content-length: ${content.length}`, ...headers], content);
}

export type Check = (outcome: Outcome) => readonly string[];

export function all(...checks: readonly Check[]): Check {
  return (outcome) => checks.flatMap((check) => check(outcome));
}

export const statusOf = ({ answer }: Outcome): number => Number(answer?.startLine.split(" ")[1] ?? 0);
export const headerOf = ({ answer }: Outcome, name: string): string | undefined =>
  answer?.headers.get(name)?.join(" | ");

export function status(...wanted: readonly number[]): Check {
  return (outcome) =>
    wanted.includes(statusOf(outcome))
      ? []
      : [`status ${statusOf(outcome) || "none"} instead of ${wanted.join(" or ")}`];
}

/** The header's value; undefined: it must not be there. */
export function header(name: string, wanted: string | RegExp | undefined): Check {
  return (outcome) => {
    const value = headerOf(outcome, name);
    const right = wanted instanceof RegExp ? value !== undefined && wanted.test(value) : value === wanted;
    return right ? [] : [`${name}: ${value ?? "none"} instead of ${String(wanted ?? "none")}`];
  };
}

export function content(wanted: string): Check {
  return ({ answer }) => {
    if (answer === undefined) return ["no answer"];
    if (!answer.isWhole)
      return [`the body has ${answer.body.length} bytes and another length was announced, or it was cut`];
    try {
      const came = contentOf(answer);
      return came === wanted
        ? []
        : [`content ${JSON.stringify(came.slice(0, 60))} (${came.length}) is not what was sent`];
    } catch (error) {
      return [`the body cannot be decoded as its header says: ${(error as Error).message}`];
    }
  };
}

export const good = (wanted: string = TEXT): Check => all(status(200), content(wanted));

export const isCut: Check = ({ answer }) =>
  answer === undefined || !answer.isWhole ? [] : ["the client cannot see that the body is not whole"];

export const isProblem = (wanted: number, code: string): Check =>
  all(status(wanted), ({ answer }) =>
    answer?.body.includes(`"code":"${code}"`) === true ? [] : ["the body does not tell the problem"],
  );

/** What the upstream must have been sent; undefined: that it was not. */
export function asked(name: string, wanted: string | RegExp | undefined, index = 0): Check {
  return (outcome) => {
    const value = outcome.asked[index]?.headers.get(name)?.join(" | ");
    const right = wanted instanceof RegExp ? value !== undefined && wanted.test(value) : value === wanted;
    return right ? [] : [`the upstream was sent ${name}: ${value ?? "none"} instead of ${String(wanted ?? "none")}`];
  };
}

export function leaksNothing(...secrets: readonly string[]): Check {
  return ({ answer }) => {
    const text = [...(answer?.headers.values() ?? [])].join("\n") + (answer?.body.toString("latin1") ?? "");
    return secrets.filter((secret) => text.includes(secret)).map((secret) => `the client is told ${secret}`);
  };
}

export function rule(name: string, upstream: Script, complaints: Check, more: Partial<RelayCase> = {}): RelayCase {
  return { name, kind: "rule", upstream, complaints, ...more };
}

export function choice(name: string, upstream: Script, complaints: Check, more: Partial<RelayCase> = {}): RelayCase {
  return { name, kind: "choice", upstream, complaints, ...more };
}
