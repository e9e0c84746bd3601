// An answer as events of AG-UI 1.0: what each chunk becomes, in the order that the protocol's own checks ask for.

import type { MessageChunk } from "../wire/ui-message.ts";

/** One event of AG-UI. `type` decides what else is there. */
export interface AgUiEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Which run of which conversation the events are of. */
export interface AgUiRun {
  readonly threadId: string;
  readonly runId: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Turns chunks into events, in their order. A run that has not `finished` has to be ended by `fail`. */
export class AgUiWriter {
  readonly #run: AgUiRun;
  /** The open messages, by the kind and id of their part. */
  readonly #open = new Map<string, string>();
  /** The calls whose arguments are not whole, and whether any of them has been sent. */
  readonly #calls = new Map<string, boolean>();
  readonly #pending = new Set<string>();
  #messages = 0;
  #steps = 0;
  #step: string | undefined;
  #usage: Json | undefined;
  #hasEnded = false;

  constructor(run: AgUiRun) {
    this.#run = run;
  }

  /** Whether the run has been told to be over. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  start(): readonly AgUiEvent[] {
    return [{ type: "RUN_STARTED", ...this.#run }];
  }

  write(chunk: MessageChunk): readonly AgUiEvent[] {
    if (this.#hasEnded) return [];
    this.#readUsage(chunk["messageMetadata"]);
    const type = textOf(chunk, "type");
    switch (type) {
      case "start":
      case "message-metadata":
        return [];
      case "text-start":
      case "reasoning-start":
        return this.#startMessage(type === "text-start" ? "text" : "reasoning", textOf(chunk, "id"));
      case "text-delta":
      case "reasoning-delta":
        return this.#grow(type === "text-delta" ? "text" : "reasoning", chunk);
      case "text-end":
      case "reasoning-end":
        return this.#endMessage(`${type === "text-end" ? "text" : "reasoning"}:${textOf(chunk, "id")}`);
      case "tool-input-start":
        return this.#startCall(chunk);
      case "tool-input-delta":
        return this.#growCall(chunk);
      case "tool-input-available":
        return this.#endCall(chunk);
      case "tool-input-error":
        return [...this.#endCall(chunk), this.#result(chunk, textOf(chunk, "errorText"))];
      case "tool-output-available":
        // Another output takes a preliminary one's place, and AG-UI has one result per call.
        return chunk["preliminary"] === true ? [] : [this.#result(chunk, asContent(chunk["output"]))];
      case "tool-output-error":
        return [this.#result(chunk, textOf(chunk, "errorText"))];
      case "tool-output-denied":
        return [this.#result(chunk, "The call was not allowed.")];
      case "start-step": {
        const before = this.#endStep();
        this.#step = `step-${++this.#steps}`;
        return [...before, { type: "STEP_STARTED", stepName: this.#step }];
      }
      case "finish-step":
        return this.#endStep();
      case "reset-step":
        return [...this.#closeAll(), { type: "CUSTOM", name: type, value: {} }];
      case "finish":
        return this.#finish(chunk);
      case "abort":
        return this.#end({ outcome: { type: "cancelled" } });
      case "error":
        return this.fail(textOf(chunk, "errorText"), textOf(chunk, "reason") || "failed");
      default:
        if (type.startsWith("data-")) return [{ type: "CUSTOM", name: type.slice(5), value: chunk["data"] ?? null }];
        return [{ type: "CUSTOM", name: type, value: chunk }];
    }
  }

  /** Ends a run that was stopped on purpose. */
  cancel(): readonly AgUiEvent[] {
    return this.#hasEnded ? [] : this.#end({ outcome: { type: "cancelled" } });
  }

  /** Ends a run that did not reach its end. */
  fail(message: string, code: string): readonly AgUiEvent[] {
    if (this.#hasEnded) return [];
    this.#hasEnded = true;
    return [{ type: "RUN_ERROR", message: message === "" ? "The answer failed before its end." : message, code }];
  }

  #startMessage(kind: string, id: string): readonly AgUiEvent[] {
    const key = `${kind}:${id}`;
    const before = this.#endMessage(key);
    // The ids of parts come again in later steps; those of messages may not.
    const messageId = `${this.#run.runId}/${++this.#messages}`;
    this.#open.set(key, messageId);
    if (kind === "text") return [...before, { type: "TEXT_MESSAGE_START", messageId, role: "assistant" }];
    return [
      ...before,
      { type: "REASONING_START", messageId },
      { type: "REASONING_MESSAGE_START", messageId, role: "reasoning" },
    ];
  }

  #grow(kind: string, chunk: MessageChunk): readonly AgUiEvent[] {
    const delta = textOf(chunk, "delta");
    if (delta === "") return []; // AG-UI refuses it
    const key = `${kind}:${textOf(chunk, "id")}`;
    const before = this.#open.has(key) ? [] : this.#startMessage(kind, textOf(chunk, "id"));
    const messageId = this.#open.get(key);
    const type = kind === "text" ? "TEXT_MESSAGE_CONTENT" : "REASONING_MESSAGE_CONTENT";
    return [...before, { type, messageId, delta }];
  }

  #endMessage(key: string): readonly AgUiEvent[] {
    const messageId = this.#open.get(key);
    if (messageId === undefined) return [];
    this.#open.delete(key);
    if (key.startsWith("text:")) return [{ type: "TEXT_MESSAGE_END", messageId }];
    return [
      { type: "REASONING_MESSAGE_END", messageId },
      { type: "REASONING_END", messageId },
    ];
  }

  #startCall(chunk: MessageChunk): readonly AgUiEvent[] {
    const toolCallId = textOf(chunk, "toolCallId");
    if (this.#calls.has(toolCallId)) return [];
    this.#calls.set(toolCallId, false);
    return [{ type: "TOOL_CALL_START", toolCallId, toolCallName: textOf(chunk, "toolName") }];
  }

  #growCall(chunk: MessageChunk): readonly AgUiEvent[] {
    const toolCallId = textOf(chunk, "toolCallId");
    const delta = textOf(chunk, "inputTextDelta");
    if (delta === "" || !this.#calls.has(toolCallId)) return [];
    this.#calls.set(toolCallId, true);
    return [{ type: "TOOL_CALL_ARGS", toolCallId, delta }];
  }

  #endCall(chunk: MessageChunk): readonly AgUiEvent[] {
    const toolCallId = textOf(chunk, "toolCallId");
    const before = this.#startCall(chunk);
    const isSent = this.#calls.get(toolCallId) === true;
    const text = asContent(chunk["input"] ?? {});
    const args = isSent || text === "" ? [] : [{ type: "TOOL_CALL_ARGS", toolCallId, delta: text }];
    this.#calls.delete(toolCallId);
    this.#pending.add(toolCallId);
    return [...before, ...args, { type: "TOOL_CALL_END", toolCallId }];
  }

  #result(chunk: MessageChunk, content: string): AgUiEvent {
    const toolCallId = textOf(chunk, "toolCallId");
    this.#pending.delete(toolCallId);
    const messageId = `${this.#run.runId}/${++this.#messages}`;
    return { type: "TOOL_CALL_RESULT", messageId, toolCallId, content, role: "tool" };
  }

  #endStep(): readonly AgUiEvent[] {
    if (this.#step === undefined) return [];
    const stepName = this.#step;
    this.#step = undefined;
    return [{ type: "STEP_FINISHED", stepName }];
  }

  /** A run may not finish with anything open. */
  #closeAll(): readonly AgUiEvent[] {
    const calls = [...this.#calls.keys()].map((toolCallId) => ({ type: "TOOL_CALL_END", toolCallId }));
    this.#calls.clear();
    return [...[...this.#open.keys()].flatMap((key) => this.#endMessage(key)), ...calls];
  }

  #finish(chunk: MessageChunk): readonly AgUiEvent[] {
    const { finishReason } = chunk as { readonly finishReason?: unknown };
    if (finishReason === "error" || finishReason === "interrupted") {
      return this.fail("The model broke its answer off.", finishReason === "error" ? "failed" : finishReason);
    }
    const pending = [...this.#pending];
    const waits = pending.length === 0 ? {} : { pendingToolCallIds: pending };
    return this.#end({ outcome: { type: "success", ...waits } });
  }

  #end(how: Json): readonly AgUiEvent[] {
    const before = [...this.#closeAll(), ...this.#endStep()];
    this.#hasEnded = true;
    const usage = this.#usage === undefined ? {} : { usage: [this.#usage] };
    return [...before, { type: "RUN_FINISHED", ...this.#run, ...how, ...usage }];
  }

  #readUsage(metadata: unknown): void {
    const usage = (metadata as { readonly usage?: unknown } | null | undefined)?.usage;
    if (typeof usage !== "object" || usage === null) return;
    const counts = Object.entries(usage).filter(([key, value]) => COUNTS.has(key) && Number.isSafeInteger(value));
    this.#usage = Object.fromEntries(counts);
  }
}

const COUNTS: ReadonlySet<string> = new Set([
  "inputTokens",
  "outputTokens",
  "totalTokens",
  "reasoningTokens",
  "cachedInputTokens",
]);

function textOf(chunk: MessageChunk, key: string): string {
  const value = chunk[key];
  return typeof value === "string" ? value : "";
}

function asContent(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
