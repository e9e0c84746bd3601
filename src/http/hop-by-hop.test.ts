import { describe, expect, test } from "vitest";
import { withoutHopByHop } from "./hop-by-hop.ts";

describe("withoutHopByHop", () => {
  test("withoutHopByHop takes out what is of the connection, and what Connection names, in any case", () => {
    const headers = new Headers({
      connection: "close,\tX-One , x-TWO,,bad name",
      "x-one": "1",
      "x-two": "2",
      "x-three": "3",
      "keep-alive": "timeout=5",
      "proxy-authenticate": "Basic",
      "proxy-connection": "close",
      "proxy-status": "cache; error=dns_error",
      te: "trailers",
      trailer: "x",
      "transfer-encoding": "chunked",
      upgrade: "h2c",
    });
    expect([...withoutHopByHop(headers).keys()]).toEqual(["proxy-status", "x-three"]);
    expect(headers.has("connection")).toBe(true); // the original stays as it was
  });

  test("withoutHopByHop keeps several cookies apart", () => {
    const headers = new Headers([
      ["set-cookie", "a=1; expires=Wed, 21 Oct 2099 07:28:00 GMT"],
      ["set-cookie", "b=2"],
    ]);
    expect(withoutHopByHop(headers).getSetCookie()).toHaveLength(2);
  });
});
