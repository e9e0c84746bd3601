import { describe, expect, test } from "vitest";
import {
  amountWords,
  lineWords,
  positionWords,
  progressWords,
  rateWords,
  remainingWords,
  sizeWords,
} from "./transfer-words.ts";

describe("sizeWords", () => {
  test.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [999, "999 bytes"],
    [1_000, "1.0 kB"],
    [99_949, "99.9 kB"],
    [99_950, "100 kB"],
    [239_462, "239 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [104_857_600, "105 MB"],
    [5_000_000_000, "5.0 GB"],
    [999_499_999_999, "999 GB"],
    [999_500_000_000, "1.0 TB"],
    [1_234_000_000_000_000, "1234 TB"],
    [-5, "0 bytes"],
  ])("says %d as %j", (bytes, words) => {
    expect(sizeWords(bytes)).toBe(words);
  });
});

describe("rateWords", () => {
  test("says the size of a second, and nothing of what stands still", () => {
    expect(rateWords(4_200_000)).toBe("4.2 MB/s");
    expect(rateWords(12)).toBe("12 bytes/s");
    expect(rateWords(0)).toBe("");
  });
});

describe("remainingWords", () => {
  test.each([
    [0, "a few seconds left"],
    [3_000, "a few seconds left"],
    [3_001, "4 s left"],
    [59_000, "59 s left"],
    [59_001, "1 min left"],
    [61_000, "1 min 1 s left"],
    [120_000, "2 min left"],
    [599_000, "9 min 59 s left"],
    [599_001, "10 min left"],
    [600_001, "11 min left"],
    [59 * 60_000, "59 min left"],
    [59 * 60_000 + 1, "1 h left"],
    [3_600_001, "1 h 1 min left"],
    [7_200_000, "2 h left"],
    [345_600_000, "96 h left"],
    [345_600_001, "more than 4 days left"],
  ])("says %d ms as %j", (remainingMs, words) => {
    expect(remainingWords(remainingMs)).toBe(words);
  });

  test("says nothing of a time that cannot be told", () => {
    for (const unknown of [null, undefined, Number.NaN, Infinity]) expect(remainingWords(unknown)).toBe("");
  });
});

describe("amountWords", () => {
  test("says how much of how much, never more than the whole", () => {
    expect(amountWords(1_000, 2_000)).toBe("1.0 kB of 2.0 kB");
    expect(amountWords(2_001, 2_000)).toBe("2.0 kB of 2.0 kB");
    expect(amountWords(0, 0)).toBe("0 bytes of 0 bytes");
  });

  test("leaves out a whole that is not known", () => {
    expect(amountWords(1_000, null)).toBe("1.0 kB");
    expect(amountWords(1_000, undefined)).toBe("1.0 kB");
  });
});

describe("positionWords", () => {
  test.each([
    [0, "0:00"],
    [7.9, "0:07"],
    [760, "12:40"],
    [3_599.99, "59:59"],
    [3_723, "1:02:03"],
    [-1, "0:00"],
  ])("says %d s as %j", (seconds, words) => {
    expect(positionWords(seconds)).toBe(words);
  });
});

describe("lineWords", () => {
  test("joins what there is", () => {
    expect(lineWords("a", "", "b")).toBe("a · b");
    expect(lineWords("", "")).toBe("");
  });
});

describe("progressWords", () => {
  test("has words of its own for every state that a server tells", () => {
    const states = ["created", "receiving", "stalled", "verifying", "complete", "expired"];
    const words = states.map((state) => progressWords(state, undefined));
    expect(new Set(words).size).toBe(states.length);
    for (const [index, state] of states.entries()) expect(words[index]).not.toBe(state);
  });

  test("says why one failed, also for a code without words here", () => {
    expect(progressWords("failed", "limit_exceeded")).toBe("Failed: it is larger than this server takes");
    expect(progressWords("failed", "store_unavailable")).toBe("Failed: store unavailable");
    expect(progressWords("failed", null)).toBe("Failed: the server did not say why");
  });

  test("shows a state that it does not know as it is", () => {
    expect(progressWords("dreaming", null)).toBe("dreaming");
  });
});
