import { describe, expect, test } from "vitest";
import { blockList, holds, isPublicAddress } from "./address-ranges.ts";

const REFUSED = [
  ..."0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255".split(" "),
  ..."169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1".split(
    " ",
  ),
  ..."192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.255 224.0.0.1 239.255.255.255".split(
    " ",
  ),
  ..."240.0.0.0 255.255.255.255 168.63.129.16".split(" "),
  ...":: ::1 ::7f00:1 ::10.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:a9fe:a9fe ::ffff:0:10.0.0.1".split(
    " ",
  ),
  ..."64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 fc00::1 fd00:ec2::254 fdff:ffff::1 fe80::1 febf::1".split(
    " ",
  ),
  ..."fec0::1 ff02::1 2001::1 2001:0:102:304::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1".split(" "),
  ..."3fff::1 3fff:fff:ffff::1 4000::1 1fff:ffff::1 5f00::1 fe80::1%eth0 2606:4700::1%eth0".split(" "),
  ..."localhost 1.2.3 01.2.3.4 1.2.3.4.5 [::1]".split(" "),
  "",
];
const PUBLIC = [
  ..."1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255".split(
    " ",
  ),
  ..."169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255".split(
    " ",
  ),
  ..."168.63.129.17 2000::1 2001:200::1 2606:4700::1111 2003::1 3ffe:ffff::1 3fff:1000::1 ::ffff:8.8.8.8".split(" "),
  ..."::ffff:808:808 64:ff9b::8.8.8.8".split(" "),
];

describe("isPublicAddress", () => {
  test.each(REFUSED)("isPublicAddress refuses %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
  test.each(PUBLIC)("isPublicAddress takes %s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe("blockList", () => {
  test("blockList holds its ranges, and IPv4 in its IPv6 spelling", () => {
    const list = blockList(["10.1.0.0/16", "fd00:1::/32"]);
    const found = ["10.1.255.255", "::ffff:10.1.0.1", "fd00:1::5", "10.2.0.0", "fd00:2::", "fd00:1::5%eth0", "x"];
    expect(found.map((address) => holds(list, address))).toEqual([true, true, true, false, false, false, false]);
  });
  test.each(["10.0.0.0", "10.0.0.0/33", "::/129", "host/8", "/8", ""])("blockList refuses %o", (range) => {
    expect(() => blockList([range])).toThrow(RangeError);
  });
});
