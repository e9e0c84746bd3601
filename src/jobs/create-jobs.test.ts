import { describe, expect, test } from "vitest";
import { memoryStore } from "../log/memory.ts";
import { Streams } from "../log/streams.ts";
import { createJobs } from "./create-jobs.ts";

describe("createJobs", () => {
  test("createJobs() gives one object per streams and prefix, so that its limits hold for the process", async () => {
    const one = new Streams({ store: memoryStore({ name: "one" }) }, () => undefined);
    const two = new Streams({ store: memoryStore({ name: "two" }) }, () => undefined);
    const jobs = createJobs({ streams: one });
    expect(createJobs({ streams: one, maxRunningCount: 2 })).toBe(jobs);
    expect(createJobs({ streams: one, prefix: "export/" })).not.toBe(jobs);
    expect(createJobs({ streams: two })).not.toBe(jobs);
    expect(() => createJobs({ streams: two, prefix: "x/", maxRunningCount: 0 })).toThrow("maxRunningCount is 0");
    await Promise.all([one.close(), two.close()]);
  });

  test("jobs of another prefix have streams and a list of their own", async () => {
    const own = new Streams({ store: memoryStore({ name: "prefix" }) }, () => undefined);
    const exports = createJobs({ streams: own, prefix: "export/" });
    const others = createJobs({ streams: own });
    exports.define("k", () => "done");
    const { id } = await exports.start("k", null);
    expect(await exports.follow(id).ended()).toEqual({ reason: "completed" });
    expect([(await exports.list()).map((job) => job.id), await others.list()]).toEqual([[id], []]);
    expect([await others.get(id), exports.follow(id).name]).toEqual([undefined, `export/${id}`]);
    await own.close();
  });
});
