// Which addresses are somebody's own network, the machine itself or nobody at all: those that a server must not ask on behalf of others.

import { BlockList, isIPv4, isIPv6 } from "node:net";

/**
 * IPv4 that is not globally reachable (IANA's special-purpose registry, RFC 6890), multicast, and one public address that a cloud answers
 * its own machines on.
 */
const REFUSED_IPV4: BlockList = blockList([
  "0.0.0.0/8", // "this network"; 0.0.0.0 reaches the machine itself
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carriers' address translation; a cloud's metadata service too (100.100.100.200)
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // Azure's host agent
  "169.254.0.0/16", // link-local, and with it the metadata services (169.254.169.254)
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments; a metadata service (192.0.0.192)
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // relays of 6to4, deprecated
  "192.168.0.0/16", // private
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
]);

/** All of IPv6 that is handed out to be reached globally. What lies outside is loopback, private, link-local, multicast or unknown. */
const GLOBAL_IPV6: BlockList = blockList(["2000::/3"]);

/** What of it is not for everybody, or hides an IPv4 address that some machine on the way would use. */
const REFUSED_IPV6: BlockList = blockList([
  "2001::/23", // protocol assignments, Teredo among them
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4
  "3fff::/20", // documentation
]);

/** Prefixes of 96 bits that are followed by an IPv4 address, which is what is reached: mapped (RFC 4291), NAT64 (RFC 6052). */
const EMBEDDING: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

/**
 * Whether `address`, an IP address as the resolver gives it, may be asked. One that cannot be read, or that names a network interface, may
 * not.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !REFUSED_IPV4.check(address, "ipv4");
  if (!isIPv6(address) || address.includes("%")) return false;
  const embedded = embeddedIpv4(address);
  if (embedded !== undefined) return !REFUSED_IPV4.check(embedded, "ipv4");
  return GLOBAL_IPV6.check(address, "ipv6") && !REFUSED_IPV6.check(address, "ipv6");
}

/** A list of ranges in CIDR notation. @throws {RangeError} for one that cannot be read */
export function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [, address = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(range) ?? [];
    const family = familyOf(address);
    if (family === undefined || Number(bits) > (family === "ipv4" ? 32 : 128)) {
      throw new RangeError(`"${range}" is not a range of addresses; write it as 10.0.0.0/8 or fd00::/8.`);
    }
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** Whether `list` holds `address`, or the IPv4 address that is written as `address`. */
export function holds(list: BlockList, address: string): boolean {
  const family = familyOf(address);
  if (family === undefined || address.includes("%")) return false;
  const embedded = family === "ipv6" ? embeddedIpv4(address) : undefined;
  return list.check(address, family) || (embedded !== undefined && list.check(embedded, "ipv4"));
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  return isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
}

function embeddedIpv4(address: string): string | undefined {
  const groups = groupsOf(address);
  if (!EMBEDDING.some((prefix) => prefix.every((group, index) => groups[index] === group))) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight groups of an IPv6 address that is known to be one. */
function groupsOf(address: string): readonly number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a: string, b: string, c: string, d: string) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)].map((group) => group.toString(16)).join(":"),
  );
  const [before = [], after] = hex.split("::").map((side) => (side === "" ? [] : side.split(":")));
  const zeros = after === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...(after ?? [])].map((group) => Number.parseInt(group, 16));
}
