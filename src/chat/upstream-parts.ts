// The parts of an answer while they are being written: their ids, what is open, and tool calls put together.

import { TailraceError } from "../errors.ts";
import type { ProviderMetadata, TokenUsage, UiChunk } from "../wire/ui-chunks.ts";

type Kind = "text" | "reasoning";

/** What is known of a tool call when a piece of it comes. */
export interface ToolPiece {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly input?: string | undefined;
  readonly providerExecuted?: boolean | undefined;
  readonly dynamic?: boolean | undefined;
  /** The input is text and no JSON. */
  readonly isText?: boolean | undefined;
}

interface ToolCall {
  id: string;
  name: string;
  input: string;
  /** The length of the input that has been told. */
  told: number;
  isStarted: boolean;
  readonly flags: { readonly providerExecuted?: boolean; readonly dynamic?: boolean };
  readonly isText: boolean;
}

/** The most tool calls that are open at a time. */
export const MAX_OPEN_TOOL_CALL_COUNT = 1_000;
/** The longest input of one tool call, in UTF-16 code units: 4 Mi. */
export const MAX_TOOL_INPUT_LENGTH = 4_194_304;
/** The most sources that are remembered, so that none is told twice. */
const MAX_SOURCE_COUNT = 10_000;

/** Writes the parts of one answer. Parts are told apart by keys of the provider's; their ids are made here. */
export interface Parts {
  /** Opens the part if it is not open. */
  start(kind: Kind, key: string, providerMetadata?: ProviderMetadata): void;
  /** Adds to the part, which is opened if it is not. An empty delta does nothing. */
  add(kind: Kind, key: string, delta: string): void;
  isOpen(key: string): boolean;
  /** Ends the part, if it is open. */
  end(key: string, providerMetadata?: ProviderMetadata): void;
  /** Ends the parts whose keys begin with `prefix`; all of them by default. Gives how many they were. */
  endAll(prefix?: string, providerMetadata?: ProviderMetadata): number;
  /** Takes a piece of a tool call. @throws {TailraceError} `limit_exceeded` */
  tool(key: string, piece: ToolPiece): void;
  toolId(key: string): string | undefined;
  /** The input of the call is complete. `whole` is taken if no piece of it has come. */
  endTool(key: string, whole?: string): void;
  endAllTools(): void;
  /** Tells a source, once. */
  source(url: string, title?: string, providerMetadata?: ProviderMetadata): void;
  /** Tells a document, once per `key`. */
  document(key: string, title: string, options: DocumentOptions): void;
}

export interface DocumentOptions {
  readonly mediaType: string;
  readonly filename?: string | undefined;
  readonly providerMetadata?: ProviderMetadata | undefined;
}

export function createParts(out: UiChunk[]): Parts {
  const open = new Map<string, { readonly kind: Kind; readonly id: string }>();
  const counts = { text: 0, reasoning: 0 };
  const calls = new Map<string, ToolCall>();
  const sources = new Set<string>();
  let callCount = 0;

  function start(kind: Kind, key: string, providerMetadata?: ProviderMetadata): string {
    const known = open.get(key);
    if (known !== undefined) return known.id;
    const id = `${kind}-${++counts[kind]}`;
    open.set(key, { kind, id });
    out.push({ type: `${kind}-start`, id, ...metadata(providerMetadata) });
    return id;
  }

  function end(key: string, providerMetadata?: ProviderMetadata): void {
    const part = open.get(key);
    if (part === undefined) return;
    open.delete(key);
    out.push({ type: `${part.kind}-end`, id: part.id, ...metadata(providerMetadata) });
  }

  function newCall(key: string, piece: ToolPiece): ToolCall {
    if (calls.size >= MAX_OPEN_TOOL_CALL_COUNT) {
      throw new TailraceError(
        "limit_exceeded",
        `The model made more than ${MAX_OPEN_TOOL_CALL_COUNT} tool calls at once.`,
      );
    }
    const flags = {
      ...(piece.providerExecuted === true ? { providerExecuted: true } : {}),
      ...(piece.dynamic === true ? { dynamic: true } : {}),
    };
    const id = piece.id || `call-${++callCount}`;
    const call = { id, name: "", input: "", told: 0, isStarted: false, flags, isText: piece.isText === true };
    calls.set(key, call);
    return call;
  }

  function tellTool(call: ToolCall): void {
    const { id, name, flags } = call;
    if (!call.isStarted) {
      call.isStarted = true;
      const encoding = call.isText ? { inputEncoding: "text" as const } : {};
      out.push({ type: "tool-input-start", toolCallId: id, toolName: name, ...encoding, ...flags });
    }
    if (call.told === call.input.length) return;
    out.push({ type: "tool-input-delta", toolCallId: id, inputTextDelta: call.input.slice(call.told) });
    call.told = call.input.length;
  }

  function addInput(call: ToolCall, input: string): void {
    if (call.input.length + input.length > MAX_TOOL_INPUT_LENGTH) {
      throw new TailraceError(
        "limit_exceeded",
        `The input of the tool call ${call.id} is longer than ${MAX_TOOL_INPUT_LENGTH} characters.`,
      );
    }
    call.input += input;
  }

  function endTool(key: string, whole = ""): void {
    const call = calls.get(key);
    if (call === undefined) return;
    calls.delete(key);
    if (call.input === "") addInput(call, whole);
    tellTool(call);
    const { id: toolCallId, name: toolName, input, flags } = call;
    const parsed = call.isText ? { input } : parseInput(input);
    if (parsed !== undefined) {
      out.push({ type: "tool-input-available", toolCallId, toolName, input: parsed.input, ...flags });
      return;
    }
    const errorText = "The model's input for the tool is no valid JSON.";
    out.push({ type: "tool-input-error", toolCallId, toolName, input, errorText, ...flags });
  }

  /** The number of the source if it is new. */
  function newSource(key: string): string | undefined {
    if (sources.has(key) || sources.size >= MAX_SOURCE_COUNT) return undefined;
    sources.add(key);
    return `source-${sources.size}`;
  }

  return {
    start,
    add(kind, key, delta) {
      if (delta === "") return;
      const id = start(kind, key);
      out.push({ type: `${kind}-delta`, id, delta });
    },
    isOpen: (key) => open.has(key),
    end,
    endAll(prefix = "", providerMetadata) {
      const keys = [...open.keys()].filter((key) => key.startsWith(prefix));
      for (const key of keys) end(key, providerMetadata);
      return keys.length;
    },
    tool(key, piece) {
      const call = calls.get(key) ?? newCall(key, piece);
      if (!call.isStarted && piece.id) call.id = piece.id;
      if (!call.isStarted && piece.name) call.name = piece.name;
      addInput(call, piece.input ?? "");
      // Without its name a call cannot be told yet.
      if (call.name !== "") tellTool(call);
    },
    toolId: (key) => calls.get(key)?.id,
    endTool,
    endAllTools() {
      for (const key of calls.keys()) endTool(key);
    },
    source(url, title, providerMetadata) {
      const sourceId = url === "" ? undefined : newSource(url);
      if (sourceId === undefined) return;
      const titled = title === undefined || title === "" ? {} : { title };
      out.push({ type: "source-url", sourceId, url, ...titled, ...metadata(providerMetadata) });
    },
    document(key, title, { mediaType, filename, providerMetadata }) {
      const sourceId = newSource(`document:${key}`);
      if (sourceId === undefined) return;
      const named = filename === undefined ? {} : { filename };
      out.push({ type: "source-document", sourceId, mediaType, title, ...named, ...metadata(providerMetadata) });
    },
  };
}

function metadata(providerMetadata: ProviderMetadata | undefined): { readonly providerMetadata?: ProviderMetadata } {
  return providerMetadata === undefined ? {} : { providerMetadata };
}

/** A call without a word of input is one with no arguments. */
function parseInput(text: string): { readonly input: unknown } | undefined {
  if (text.trim() === "") return { input: {} };
  try {
    return { input: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** The chunk that tells what an answer has used. */
export function usageChunk(usage: TokenUsage): UiChunk {
  const { reasoningTokens, cachedInputTokens, ...counts } = usage;
  return {
    type: "message-metadata",
    messageMetadata: {
      usage: {
        ...counts,
        ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
        ...(cachedInputTokens === undefined ? {} : { cachedInputTokens }),
      },
    },
  };
}
