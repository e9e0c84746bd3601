import { completionsRoute } from "tailrace/chat";
import { answer } from "../../../lib/chat.ts";
import { hasModel } from "../../../lib/environment.ts";
import { route } from "../../../lib/route.ts";
import { streams } from "../../../lib/streams.ts";

/** The name under which the demo answers out of its documents. */
const DOCS_MODEL = "tailrace-docs";

const models = [hasModel() ? (process.env["OPENAI_MODEL"] ?? "gpt-5-mini") : DOCS_MODEL];

/** OpenAI's clients can be pointed here: `/v1/chat/completions` and `/v1/models`. */
const handle = route(completionsRoute({ answer, models, streams }));

export const GET = handle;
export const POST = handle;
