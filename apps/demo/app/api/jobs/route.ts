import { readJson } from "tailrace";
import { jobs, readJob } from "../../../lib/jobs.ts";
import { route } from "../../../lib/route.ts";

const LISTED = 50;

/** Starts a job, or queues it. */
export const POST = route(async (request) => {
  const { kind, input } = await readJob(await readJson(request));
  const { id } = await jobs.start(kind, input);
  return Response.json({ id }, { status: 202, headers: { location: `/api/jobs/${id}` } });
});

/** The newest jobs first. */
export const GET = route(async () => Response.json({ jobs: await jobs.list({ count: LISTED }) }));
