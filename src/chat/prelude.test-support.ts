// Random, valid sequences of UI message chunks, with everything in them that a prelude merges.

import type { MessageChunk } from "../wire/ui-message.ts";

/** What a move is: growth more often than the rest, as in answers. */
const KINDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 1, 1, 2, 4, 5, 5, 6, 7, 7];
const TEXTS = ["", "a", "b", "{", '"', " ", "\n", "é", "🙂", "__proto__"];

/** The numbers of random moves, for `fc.array(fc.nat(), …)`: two for each. */
export const MOVES = { minLength: 40, maxLength: 120, size: "max" } as const;

/** Turns random moves into a sequence that the AI SDK takes: a delta only for what is open, an output only for what was called. */
export function validChunks(moves: readonly number[]): MessageChunk[] {
  const chunks: MessageChunk[] = [{ type: "start", messageId: "m", messageMetadata: { a: 1 } }];
  let open: { kind: string; id: string }[] = [];
  let streaming: string[] = [];
  let called: string[] = [];
  let asked: string[] = [];
  let count = 0;
  const at = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];
  for (let move = 0; move + 1 < moves.length; move += 2) {
    const kind = KINDS[moves[move]! % KINDS.length];
    const pick = moves[move + 1]! % 21;
    const text = TEXTS[moves[move + 1]! % TEXTS.length]!;
    const id = String(count++);
    switch (kind) {
      case 0: {
        const part = { kind: pick % 2 === 0 ? "text" : "reasoning", id: pick % 3 === 0 ? "same" : id };
        if (open.some((other) => other.id === part.id)) break;
        open.push(part);
        chunks.push({ type: `${part.kind}-start`, id: part.id });
        break;
      }
      case 1:
      case 2: {
        const part = at(open, pick);
        if (part === undefined) break;
        const metadata = pick % 5 === 0 ? { providerMetadata: { p: { text } } } : {};
        chunks.push({ type: `${part.kind}-delta`, id: part.id, delta: text, ...metadata });
        break;
      }
      case 3: {
        const part = at(open, pick);
        if (part === undefined) break;
        open = open.filter((other) => other !== part);
        chunks.push({ type: `${part.kind}-end`, id: part.id });
        break;
      }
      case 4: {
        const call = `call-${id}`;
        const dynamic = pick % 2 === 0 ? { dynamic: true, title: "T" } : {};
        streaming.push(call);
        chunks.push({ type: "tool-input-start", toolCallId: call, toolName: "t", inputEncoding: "text", ...dynamic });
        break;
      }
      case 5: {
        const call = at(streaming, pick);
        if (call !== undefined) chunks.push({ type: "tool-input-delta", toolCallId: call, inputTextDelta: text });
        break;
      }
      case 6: {
        const call = at(streaming, pick);
        if (call === undefined) break;
        const start = chunks.findLast((chunk) => chunk["type"] === "tool-input-start" && chunk["toolCallId"] === call);
        const dynamic = start?.["dynamic"] === true ? { dynamic: true } : {};
        streaming = streaming.filter((other) => other !== call);
        if (pick % 4 === 0) {
          chunks.push({
            type: "tool-input-error",
            toolCallId: call,
            toolName: "t",
            input: text,
            errorText: "e",
            ...dynamic,
          });
          break;
        }
        called.push(call);
        chunks.push({ type: "tool-input-available", toolCallId: call, toolName: "t", input: { text }, ...dynamic });
        break;
      }
      case 7: {
        const call = at(called, pick);
        if (call === undefined) break;
        const preliminary = pick % 3 !== 0 ? { preliminary: true, toolMetadata: { [text]: 1 } } : {};
        if (pick % 7 === 0) chunks.push({ type: "tool-output-error", toolCallId: call, errorText: text });
        else chunks.push({ type: "tool-output-available", toolCallId: call, output: text, ...preliminary });
        break;
      }
      case 8: {
        const call = at(called, pick);
        if (call === undefined) break;
        asked.push(`ask-${id}`);
        chunks.push({ type: "tool-approval-request", approvalId: `ask-${id}`, toolCallId: call });
        break;
      }
      case 9: {
        const last = asked.pop();
        const isLatest = chunks.findLast((chunk) => chunk["type"] === "tool-approval-request")?.["approvalId"] === last;
        if (last !== undefined && isLatest)
          chunks.push({ type: "tool-approval-response", approvalId: last, approved: true });
        asked = [];
        break;
      }
      case 10:
        chunks.push({ type: "data-x", ...(pick % 2 === 0 ? { id: String(pick % 3) } : {}), data: text });
        break;
      case 11:
        chunks.push({ type: "message-metadata", messageMetadata: { usage: { [`k${pick % 3}`]: text } } });
        break;
      case 12:
        chunks.push({ type: "start-step" });
        streaming = [];
        break;
      case 13:
        chunks.push({ type: "finish-step" });
        break;
      case 14:
        chunks.push({ type: "reset-step" });
        open = [];
        streaming = [];
        called = [];
        asked = [];
        break;
      case 15:
        chunks.push({ type: "source-url", sourceId: id, url: `https://x.test/${pick}` });
        break;
      default:
        chunks.push({ type: "file", url: `data:,${pick}`, mediaType: "text/plain" });
    }
  }
  return chunks;
}
