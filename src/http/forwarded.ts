// What a relay tells of the request that it passes on (RFC 7239), where it is asked to.

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

/**
 * The value of `Forwarded` for a request to `url`. `client` is the client's address, with or without a port; without it the client is `unknown`
 * (RFC 7239 section 6.2).
 */
export function forwardedValue(url: URL, client: string | undefined): string {
  const proto = url.protocol.slice(0, -1);
  return `for=${quoted(client === undefined ? "unknown" : node(client))};host=${quoted(url.host)};proto=${proto}`;
}

/** RFC 7239 section 6: an IPv6 address stands in brackets. */
function node(client: string): string {
  const isBareIpv6 = !client.startsWith("[") && client.split(":").length > 2;
  return isBareIpv6 ? `[${client}]` : client;
}

function quoted(value: string): string {
  if (TOKEN.test(value)) return value;
  return `"${value.replaceAll(/[^\u0020-\u007e]/g, "").replaceAll(/["\\]/g, "\\$&")}"`;
}
