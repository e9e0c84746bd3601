// Runs before every file of tests: what holds for all of them, and that Vitest's configuration cannot say by itself.

import fc from "fast-check";
import { vi } from "vitest";

/** A second, Vitest's default, says how fast a machine is; this says only that nothing will come any more. */
const WAIT_LIMIT_MS = 30_000;

// Two runs of one commit try the same values: see CONTRIBUTING.md.
fc.configureGlobal({ seed: Number(process.env["FAST_CHECK_SEED"]) });

const waitFor = vi.waitFor;
vi.waitFor = (callback, options) =>
  waitFor(callback, { timeout: WAIT_LIMIT_MS, ...(typeof options === "number" ? { timeout: options } : options) });
