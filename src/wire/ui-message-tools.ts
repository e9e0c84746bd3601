// Folds the chunks of tool calls into their parts. A call has one part per step, which is what its latest chunk says.

import { createPartialJsonDecoder, type PartialJsonDecoder } from "./partial-json.ts";
import { isToolPart, type Part, type ToolApproval, type ToolPart } from "./ui-message-parts.ts";

type Chunk = Readonly<Record<string, unknown>>;
type Parts = readonly Part[];

/**
 * The parts with a tool chunk folded in; the same array for a chunk of something else, and for one that belongs to no part.
 */
export function foldTool(parts: Parts, chunk: Chunk): Parts {
  switch (chunk["type"]) {
    case "tool-input-start":
      return putCall(parts, chunk, {
        state: "input-streaming",
        ...given("inputEncoding", chunk["inputEncoding"]),
      });
    case "tool-input-delta":
      return growInput(parts, chunk);
    case "tool-input-available":
      return putCall(parts, chunk, { state: "input-available", ...given("input", chunk["input"]) });
    case "tool-input-error": {
      const errorText = asText(chunk["errorText"]);
      const result = { state: "output-error" as const, errorText, ...given("input", chunk["input"]) };
      return putCall(parts, chunk, result, "resultProviderMetadata");
    }
    case "tool-approval-request":
      return change(parts, findCall(parts, chunk), (part) => ({
        ...part,
        state: "approval-requested",
        approval: approvalOf(chunk),
      }));
    case "tool-approval-response":
      return change(parts, findApproval(parts, chunk["approvalId"]), (part) => answered(part, chunk));
    case "tool-output-available":
      return change(parts, findCall(parts, chunk), (part) =>
        withResult(part, chunk, {
          state: "output-available",
          ...given("output", chunk["output"]),
          ...given("preliminary", chunk["preliminary"]),
        }),
      );
    case "tool-output-error":
      return change(parts, findCall(parts, chunk), (part) => {
        const result = withResult(part, chunk, { state: "output-error", errorText: asText(chunk["errorText"]) });
        // The text of an input that was never whole is all there is to see of it.
        return part.type === "dynamic-tool" ? result : { ...result, ...given("rawInput", part.rawInput) };
      });
    case "tool-output-denied":
      return change(parts, findCall(parts, chunk), (part) => ({ ...part, state: "output-denied" }));
    default:
      return parts;
  }
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The member, or nothing where there is no value: a part has no members that are undefined. */
function given(key: keyof ToolPart | keyof ToolApproval, value: unknown): Readonly<Record<string, never>> {
  // A JSON value of whatever kind: what it should be is the sender's affair.
  return (value === undefined || value === null ? {} : { [key]: value }) as Readonly<Record<string, never>>;
}

function change(parts: Parts, index: number, make: (part: ToolPart) => ToolPart): Parts {
  const part = parts[index];
  return part === undefined || !isToolPart(part) ? parts : parts.with(index, make(part));
}

function stepStart(parts: Parts): number {
  return parts.findLastIndex((part) => part.type === "step-start") + 1;
}

/** The call in this step, or else its latest before: an answer may come in a later step. */
function findCall(parts: Parts, chunk: Chunk): number {
  const isIt = (part: Part): boolean => isToolPart(part) && part.toolCallId === chunk["toolCallId"];
  const from = stepStart(parts);
  const index = parts.slice(from).findIndex(isIt);
  return index >= 0 ? from + index : parts.findLastIndex(isIt);
}

function findApproval(parts: Parts, approvalId: unknown): number {
  return parts.findIndex((part) => isToolPart(part) && part.approval?.id === approvalId);
}

/** What a chunk may change of a part for good. */
function lasting(chunk: Chunk, metadata: "callProviderMetadata" | "resultProviderMetadata"): Partial<ToolPart> {
  return {
    ...given("title", chunk["title"]),
    ...given("toolMetadata", chunk["toolMetadata"]),
    ...given("providerExecuted", chunk["providerExecuted"]),
    ...given(metadata, chunk["providerMetadata"]),
  };
}

/** Begins a call in this step, or puts its input in the place of the one it had. */
function putCall(
  parts: Parts,
  chunk: Chunk,
  state: Pick<ToolPart, "state"> & Partial<ToolPart>,
  metadata: "callProviderMetadata" | "resultProviderMetadata" = "callProviderMetadata",
): Parts {
  const id = asText(chunk["toolCallId"]);
  const name = asText(chunk["toolName"]);
  if (name === "") return parts; // there is no part of a tool without a name
  const from = stepStart(parts);
  const isCall = (part: Part): part is ToolPart => isToolPart(part) && part.toolCallId === id;
  // An input that could not be read is told of the call that began with it, whatever kind it was.
  const existing = chunk["type"] === "tool-input-error" ? parts.slice(from).find(isCall) : undefined;
  const isDynamic = existing === undefined ? chunk["dynamic"] === true : existing.type === "dynamic-tool";
  const index = parts.slice(from).findIndex((part) => isCall(part) && (part.type === "dynamic-tool") === isDynamic);
  const head = {
    ...(isDynamic ? { type: "dynamic-tool" as const, toolName: name } : { type: `tool-${name}` as const }),
    toolCallId: id,
  };
  const said = { ...head, ...state, ...lasting(chunk, metadata) };
  if (index < 0) return [...parts, said];
  return change(parts, from + index, (part) => ({ ...keptOf(part), ...said }));
}

/** What stays of a part when its input or its output takes another's place. */
function keptOf(part: ToolPart): Pick<ToolPart, "type" | "toolCallId" | "state"> & Partial<ToolPart> {
  const {
    input: _input,
    rawInput: _rawInput,
    inputEncoding: _encoding,
    output: _output,
    errorText: _error,
    preliminary: _preliminary,
    ...kept
  } = part;
  return kept;
}

function withResult(part: ToolPart, chunk: Chunk, result: Pick<ToolPart, "state"> & Partial<ToolPart>): ToolPart {
  return { ...keptOf(part), ...given("input", part.input), ...result, ...lasting(chunk, "resultProviderMetadata") };
}

function approvalOf(chunk: Chunk): ToolApproval {
  return {
    id: asText(chunk["approvalId"]),
    ...given("descriptor", chunk["approvalDescriptor"]),
    ...("inputSchemaInput" in chunk ? { inputSchemaInput: chunk["inputSchemaInput"] } : {}),
    ...given("requestReason", chunk["reason"]),
    ...(chunk["isAutomatic"] === true ? { isAutomatic: true } : {}),
    ...given("signature", chunk["signature"]),
  };
}

function answered(part: ToolPart, chunk: Chunk): ToolPart {
  const approval = {
    ...part.approval,
    id: asText(chunk["approvalId"]),
    approved: chunk["approved"] === true,
    ...given("reason", chunk["reason"]),
  };
  return {
    ...part,
    state: "approval-responded",
    approval,
    ...given("providerExecuted", chunk["providerExecuted"]),
    ...given("callProviderMetadata", chunk["providerMetadata"]),
  };
}

/**
 * How far the growing inputs have been read, by the part that shows them, so that each piece is read once. A part that is not
 * here, such as one that was saved, is read from its text.
 */
const readers = new WeakMap<ToolPart, PartialJsonDecoder<unknown>>();

function growInput(parts: Parts, chunk: Chunk): Parts {
  const id = chunk["toolCallId"];
  const delta = asText(chunk["inputTextDelta"]);
  const index = parts.findLastIndex(
    (part) => isToolPart(part) && part.toolCallId === id && part.state === "input-streaming",
  );
  return change(parts, index, (part) => {
    const rawInput = (part.rawInput ?? "") + delta;
    if (part.inputEncoding === "text") return { ...part, input: rawInput, rawInput };
    const known = readers.get(part);
    readers.delete(part); // it grows in place, and would show an older part what comes later
    const reader = known ?? createPartialJsonDecoder();
    const isReadable = push(reader, known === undefined ? rawInput : delta);
    const value = isReadable ? reader.snapshot() : part.input;
    const grown: ToolPart = { ...part, rawInput, ...given("input", value) };
    if (isReadable) readers.set(grown, reader);
    return grown;
  });
}

/** Whether the text can still become JSON. What cannot is told by the chunk that follows: `tool-input-error`. */
function push(reader: PartialJsonDecoder<unknown>, text: string): boolean {
  try {
    reader.push(text);
    return true;
  } catch {
    return false;
  }
}
