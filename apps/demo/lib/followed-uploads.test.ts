import { describe, expect, test } from "vitest";
import { chooseFollowed, isOver, MAX_FOLLOWED_COUNT } from "./followed-uploads.ts";

const NONE: ReadonlySet<string> = new Set();

function listed(...states: readonly string[]): { id: string; state: string }[] {
  return states.map((state, index) => ({ id: `u${index}`, state }));
}

describe("chooseFollowed", () => {
  test("takes what moves before what stands still, and nothing that is over", () => {
    const uploads = listed("complete", "stalled", "created", "verifying", "receiving", "failed", "expired");
    expect([...chooseFollowed(uploads, NONE, 10)]).toEqual(["u4", "u3", "u2", "u1"]);
  });

  test("takes at most three", () => {
    expect(chooseFollowed(listed("receiving", "receiving", "receiving"), NONE).size).toBe(MAX_FOLLOWED_COUNT);
    expect([...chooseFollowed(listed("stalled", "receiving", "receiving", "receiving"), NONE)]).toEqual([
      "u1",
      "u2",
      "u3",
    ]);
  });

  test("gives the place of one whose stream has ended to the next", () => {
    const uploads = listed("receiving", "receiving", "receiving", "receiving");
    expect([...chooseFollowed(uploads, new Set(["u1"]))]).toEqual(["u0", "u2", "u3"]);
  });
});

describe("isOver", () => {
  test("is true of the three ends", () => {
    for (const state of ["complete", "failed", "expired"]) expect(isOver(state)).toBe(true);
    for (const state of ["created", "receiving", "stalled", "verifying"]) expect(isOver(state)).toBe(false);
  });
});
