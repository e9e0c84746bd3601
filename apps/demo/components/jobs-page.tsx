// Jobs: what is started here, and how everything that was started goes, whoever looks.

"use client";

import type { ReactElement } from "react";
import { useJob, type JobSnapshot } from "tailrace/react";
import { JobForm } from "./job-form.tsx";
import { JobRow } from "./job-row.tsx";
import { usePolled } from "./use-polled.ts";

const LOOK_EVERY_MS = 2_000;
/** Jobs followed at a time: over HTTP/1.1 a browser has six connections to a server, for all of its tabs. */
const FOLLOWED_COUNT = 3;

export function JobsPage(): ReactElement {
  const { value, problem, refresh } = usePolled<{ readonly jobs: readonly JobSnapshot[] }>("/api/jobs", LOOK_EVERY_MS);
  // Only to start with: the rows follow.
  const { start, follow, status, error } = useJob();
  const begin = async (kind: string, input: object): Promise<void> => {
    const id = await start(kind, input);
    if (id === null) return;
    follow(null);
    refresh();
  };
  const jobs = value?.jobs ?? null;
  // Those that run first, then those whose turn comes next: a new one stands at the top of the list, not of the queue.
  const followed = new Set(
    (jobs ?? [])
      .filter(({ end }) => end === undefined)
      .toSorted((one, other) => (one.createdAtMs ?? 0) - (other.createdAtMs ?? 0))
      .slice(0, FOLLOWED_COUNT)
      .map(({ id }) => id),
  );

  return (
    <main className="page">
      <h1>Jobs</h1>
      <p className="lead">
        Work that takes a while runs apart from any request. Reload, open a second tab, or start the server anew: it is
        all still here, and goes on where it can.
      </p>
      <div className="jobs">
        <section aria-labelledby="jobs-new">
          <h2 id="jobs-new">Start one</h2>
          <JobForm isBusy={status === "starting"} onStart={begin} />
          <div role="alert">{error === null ? null : <p className="notice notice-danger">{error.message}</p>}</div>
        </section>
        <section aria-labelledby="jobs-all">
          <h2 id="jobs-all">All jobs</h2>
          {problem === null ? null : <p className="notice notice-danger">{problem}</p>}
          {jobs === null ? <p className="transfer-line">Waiting for the server…</p> : null}
          {jobs?.length === 0 ? <p className="transfer-line">None yet. Two run at a time, the others wait.</p> : null}
          <ul className="transfers">
            {(jobs ?? []).map((job) => (
              <JobRow key={job.id} listed={job} isFollowed={followed.has(job.id)} onChange={refresh} />
            ))}
          </ul>
        </section>
      </div>
    </main>
  );
}
