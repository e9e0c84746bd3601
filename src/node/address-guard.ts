// Decides which addresses a URL may be asked at: names are resolved once, every address is looked at, and what is checked is what is used.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { addressRefused } from "../flow/relay-errors.ts";
import { blockList, holds, isPublicAddress } from "./address-ranges.ts";

/** Gives the IP addresses of a host name. */
export type ResolveHost = (hostname: string) => Promise<readonly string[]>;

export interface AddressGuardOptions {
  readonly allow?: readonly (string | URL)[] | undefined;
  readonly allowPrivate?: readonly string[] | undefined;
  readonly resolve?: ResolveHost | undefined;
}

/** How many addresses of a name are tried, at most. */
const MAX_ADDRESS_COUNT = 4;

export class AddressGuard {
  readonly #allowed: ReadonlySet<string> | undefined;
  readonly #privateRanges: ReturnType<typeof blockList>;
  readonly #privateHosts: ReadonlySet<string>;
  readonly #resolve: ResolveHost;

  /** @throws {RangeError} for an entry that cannot be read */
  constructor(options: AddressGuardOptions) {
    const exceptions = options.allowPrivate ?? [];
    this.#allowed = options.allow && new Set(options.allow.map(allowed));
    this.#privateRanges = blockList(exceptions.filter((each) => each.includes("/")));
    this.#privateHosts = new Set(exceptions.filter((each) => !each.includes("/")).map(hostAndPort));
    this.#resolve = options.resolve ?? resolveHost;
  }

  /**
   * The addresses to connect to, the first one first. If one of a name's addresses may not be asked, none may.
   *
   * @throws {TailraceError} `address_refused`; and whatever the resolver rejects with
   */
  async addressesOf(url: URL): Promise<readonly string[]> {
    if (url.protocol !== "http:" && url.protocol !== "https:") throw addressRefused("It is neither http nor https.");
    if (url.username !== "" || url.password !== "") throw addressRefused("It holds a user name or a password.");
    if (!this.#isAllowed(url)) throw addressRefused(`${url.origin} is not among those that may be asked.`);
    const hostname = hostnameOf(url);
    const addresses = isIP(hostname) === 0 ? await this.#resolve(hostname) : [hostname];
    const isException = this.#privateHosts.has(`${url.hostname}:${portOf(url)}`);
    for (const address of addresses) {
      if (isException ? isIP(address) === 0 : !isPublicAddress(address) && !holds(this.#privateRanges, address)) {
        throw addressRefused(`${url.hostname} is ${address}, which is no public address.`);
      }
    }
    if (addresses.length === 0) throw new Error(`${hostname} has no address.`);
    return addresses.slice(0, MAX_ADDRESS_COUNT);
  }

  #isAllowed(url: URL): boolean {
    const list = this.#allowed;
    return (
      list === undefined || [url.origin, url.hostname, `${url.hostname}:${portOf(url)}`].some((each) => list.has(each))
    );
  }
}

/** The host of `url` without the brackets of an IPv6 address. */
export function hostnameOf({ hostname }: URL): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

export function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

async function resolveHost(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true, order: "ipv4first" })).map(({ address }) => address);
}

/** An origin as it is; a host, or host:port, in the spelling of URLs. */
function allowed(entry: string | URL): string {
  if (entry instanceof URL) return entry.origin;
  if (entry.includes("://")) return new URL(entry).origin;
  const url = parsed(entry);
  return /:\d+$/.test(entry) ? `${url.hostname}:${portOf(url)}` : url.hostname;
}

function hostAndPort(entry: string): string {
  const url = parsed(entry);
  if (!/:\d+$/.test(entry)) throw new RangeError(`"${entry}" is neither a range (10.0.0.0/8) nor a host:port.`);
  return `${url.hostname}:${portOf(url)}`;
}

function parsed(entry: string): URL {
  const url = URL.parse(`http://${entry}`);
  if (url === null || url.pathname !== "/" || url.username !== "") {
    throw new RangeError(`"${entry}" is neither a host nor an origin.`);
  }
  return url;
}
