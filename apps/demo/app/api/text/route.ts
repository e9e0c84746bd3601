import { text } from "tailrace";
import { textOf } from "tailrace/chat";
import { answer } from "../../../lib/chat.ts";
import { asText } from "../../../lib/input.ts";
import { route } from "../../../lib/route.ts";

/** An answer as plain text: not named, so it lasts as long as its reader stays. */
export const GET = route((request) => {
  const prompt = asText(new URL(request.url).searchParams.get("prompt"), "prompt", 1, 8_000);
  const message = { id: "prompt", role: "user", parts: [{ type: "text", text: prompt }] } as const;
  return text(request, (context) => textOf(answer({ ...context, messages: [message] })));
});
