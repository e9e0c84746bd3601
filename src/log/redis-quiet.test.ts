// Which runs a beat looks at.

import { expect, test } from "vitest";
import { LOOKS_PER_BEAT, QuietRuns, type RunEntry } from "./redis-quiet.ts";

const entriesOf = (count: number): RunEntry[] => Array.from({ length: count }, (_, index) => [`r${index}`, "1"]);
const namesOf = (entries: readonly RunEntry[]): string[] => entries.map(([name]) => name);

/** As a beat does that finds all of them to be as they should. */
function beat(quiet: QuietRuns, entries: readonly RunEntry[], nowMs = 0): string[] {
  const look = quiet.toLookAt("a", entries, nowMs);
  for (const entry of look) quiet.look("a", entry)(undefined);
  return namesOf(look);
}

test("QuietRuns.toLookAt() gives all at first, then LOOKS_PER_BEAT of them in turn", () => {
  const quiet = new QuietRuns();
  const entries = entriesOf(LOOKS_PER_BEAT + 1);
  expect(beat(quiet, entries)).toEqual(namesOf(entries));
  const next = beat(quiet, entries);
  expect(next).toEqual(namesOf(entries).slice(0, LOOKS_PER_BEAT));
  expect(beat(quiet, entries)[0]).toBe(entries.at(-1)![0]);
  expect(beat(quiet, entries.slice(1))).toHaveLength(LOOKS_PER_BEAT);
});

test("QuietRuns.toLookAt() gives what has another token, has expired or was forgotten, beyond the number that comes in turn", () => {
  const quiet = new QuietRuns();
  const entries = entriesOf(3 * LOOKS_PER_BEAT);
  beat(quiet, entries);
  const changed = entries.map(([name, token], index): RunEntry => [name, index < 2 * LOOKS_PER_BEAT ? "2" : token]);
  expect(beat(quiet, changed)).toEqual(namesOf(changed).slice(0, 2 * LOOKS_PER_BEAT));
  for (const name of ["r40", "r41"]) quiet.forget(name);
  expect(beat(quiet, changed).slice(0, 2)).toEqual(["r40", "r41"]);
  quiet.look("a", changed[33]!)(1_000);
  expect(quiet.toLookAt("a", changed, 999)).not.toContainEqual(changed[33]);
  expect(quiet.toLookAt("a", changed, 1_000)[0]).toEqual(changed[33]);
  quiet.forgetAll();
  expect(beat(quiet, changed)).toEqual(namesOf(changed));
});

test("QuietRuns takes no run for quiet that something has happened to while it was looked at", () => {
  const quiet = new QuietRuns();
  const entries = entriesOf(LOOKS_PER_BEAT + 5);
  beat(quiet, entries);
  const isQuiet = quiet.look("a", entries.at(-1)!);
  quiet.forget(entries.at(-1)![0]);
  isQuiet(undefined);
  expect(quiet.toLookAt("a", entries, 0)[0]).toEqual(entries.at(-1));
});

test("QuietRuns forgets owners without runs", () => {
  const quiet = new QuietRuns();
  beat(quiet, entriesOf(1));
  expect(quiet.has("a")).toBe(true);
  beat(quiet, []);
  expect(quiet.has("a")).toBe(false);
});
