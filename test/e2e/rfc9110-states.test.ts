// The rows of RFC 9110 that the demo has no file or method for, and all the others with them: files without a tag, with a weak
// one, with a date alone or nothing at all, and POST and PUT, in an app of Next.js made for it.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONDITION_ROWS } from "../files/condition-rows.ts";
import { RANGE_ROWS } from "../files/range-rows.ts";
import { checkConditionRow, checkRangeRow, EMPTY_FILE_ROWS, type RowHost } from "../files/row-checks.ts";
import { exchange, type WireResponse } from "../files/wire.ts";
import { type RowsApp, startRowsApp } from "./next-rows.ts";

const HOST: RowHost = { type: "text/plain", keepsLength: true };

let app: RowsApp;
beforeAll(async () => {
  app = await startRowsApp();
});
afterAll(() => app?.stop());

const get = (headers: Readonly<Record<string, string>>, method = "GET", state = "strong"): Promise<WireResponse> =>
  exchange(app.port, method, `/${state.replace(" ", "-")}`, Object.entries(headers));

describe("in Next.js", () => {
  test.each(RANGE_ROWS)("%s %s", async (_section, value, answer) => {
    checkRangeRow(await get({ range: value }), answer, HOST);
  });

  test.each(CONDITION_ROWS)(
    "$section $method $state $headers is a $status",
    async ({ headers, status, method, state }) => {
      checkConditionRow(await get(headers, method, state), { status, method }, HOST);
    },
  );

  test.each(EMPTY_FILE_ROWS)("14.1.2 %s of an empty file is a %i", async (value, status) => {
    const response = await get({ range: value }, "GET", "empty");
    expect(response.status).toBe(status);
    expect(response.headers.get("content-range")).toBe(status === 416 ? "bytes */0" : undefined);
  });
});
