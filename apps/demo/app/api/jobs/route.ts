import { readJson } from "tailrace";
import { jobs, KINDS, readJob } from "../../../lib/jobs.ts";
import { route } from "../../../lib/route.ts";

const LISTED = 50;
/** Among so many of the newest: exports are jobs too, and have a list of their own. */
const LOOKED_AT = 200;

/** Starts a job, or queues it. */
export const POST = route(async (request) => {
  const { kind, input } = await readJob(await readJson(request));
  const { id } = await jobs.start(kind, input);
  return Response.json({ id }, { status: 202, headers: { location: `/api/jobs/${id}` } });
});

/** The newest jobs first. */
export const GET = route(async () => {
  const newest = await jobs.list({ count: LOOKED_AT });
  const listed = newest.filter(({ kind }) => KINDS.some((each) => each === kind));
  return Response.json({ jobs: listed.slice(0, LISTED) });
});
