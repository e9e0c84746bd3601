import { readJson } from "tailrace";
import { readExportInput } from "../../../lib/export-input.ts";
import { exports, sampleExports } from "../../../lib/exports.ts";
import { route } from "../../../lib/route.ts";

const LISTED = 20;

/** Starts an export that goes on by itself. */
export const POST = route(async (request) => {
  const { id } = await sampleExports.start(readExportInput(await readJson(request)));
  return Response.json({ id }, { status: 202, headers: { location: `/api/exports/${id}` } });
});

/** The newest exports first. */
export const GET = route(async () => Response.json({ exports: await exports.list({ count: LISTED }) }));
