// A proof that was lost must not go out again.

import { expect, test } from "vitest";
import { PrimaryProof } from "./redis-proof.ts";

test("PrimaryProof takes back what is under way, also for a command that is sent again, and gives none until the next", () => {
  const proof = new PrimaryProof();
  expect(proof.argument).toBe("-");
  proof.saw("0123456789abcdef 1700000000");
  const underWay = proof.argument;
  expect(String(Buffer.from(underWay as Uint8Array))).toBe("0123456789abcdef 1700000000");
  proof.drop();
  expect(String(Buffer.from(underWay as Uint8Array))).toMatch(/^-+$/);
  expect(proof.argument).toBe("-");
  proof.saw("fedcba9876543210 1700000001");
  expect(String(Buffer.from(underWay as Uint8Array))).toMatch(/^-+$/);
  expect(String(Buffer.from(proof.argument as Uint8Array))).toBe("fedcba9876543210 1700000001");
});
