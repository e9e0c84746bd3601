// One object for the jobs of a process, however often a bundler loads this module: the limits hold for the process.

import type { Streams } from "../log/streams.ts";
import { Jobs, type JobsOptions } from "./jobs.ts";

const KEY: unique symbol = Symbol.for("tailrace.jobs.1");

/**
 * The jobs of a store. One instance per process, streams and prefix: a second call gives the first one's result, also when a
 * bundler has loaded this module several times, so that the limits hold for the whole process.
 *
 * @throws {TailraceError} `input_invalid`
 */
export function createJobs(options: JobsOptions): Jobs {
  const home = globalThis as { [KEY]?: WeakMap<Streams, Map<string, Jobs>> };
  const all = (home[KEY] ??= new WeakMap());
  const instances = all.get(options.streams) ?? new Map<string, Jobs>();
  all.set(options.streams, instances);
  const prefix = options.prefix ?? "job/";
  const existing = instances.get(prefix);
  if (existing !== undefined) return existing;
  const jobs = new Jobs(options);
  instances.set(prefix, jobs);
  return jobs;
}
