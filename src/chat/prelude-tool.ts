// One call of a tool among the merged chunks of a prelude: its latest state in as few chunks as say it.

import type { MessageChunk } from "../wire/ui-message.ts";

/** The chunks of one call of one step, in their order. */
export class ToolSlot {
  /** Whether it began with the chunk that makes the part. */
  readonly isWhole: boolean;
  readonly #chunks: MessageChunk[] = [];
  #isDynamic: boolean | undefined;

  constructor(isWhole: boolean) {
    this.isWhole = isWhole;
  }

  /** Whether the chunk is of this very part: a step may have a dynamic and a static call of one id. */
  takes(chunk: MessageChunk): boolean {
    const type = chunk["type"];
    if (type !== "tool-input-start" && type !== "tool-input-available") return true;
    return this.#isDynamic === (chunk["dynamic"] === true);
  }

  add(chunk: MessageChunk): void {
    const last = this.#chunks.at(-1);
    switch (chunk["type"]) {
      case "tool-input-start":
        this.#isDynamic = chunk["dynamic"] === true;
        break;
      case "tool-input-delta":
        if (last?.["type"] === "tool-input-delta") {
          const inputTextDelta = String(last["inputTextDelta"]) + String(chunk["inputTextDelta"]);
          this.#chunks[this.#chunks.length - 1] = { ...chunk, inputTextDelta };
          return;
        }
        break;
      case "tool-input-available":
      case "tool-input-error":
        if (chunk["type"] === "tool-input-available") this.#isDynamic = chunk["dynamic"] === true;
        // The whole input says more than its pieces.
        if (last?.["type"] === "tool-input-delta" && this.isWhole) this.#chunks.pop();
        break;
      case "tool-output-available":
        if (last?.["type"] === "tool-output-available") {
          this.#chunks[this.#chunks.length - 1] = replaceOutput(last, chunk);
          return;
        }
        break;
      default:
    }
    this.#chunks.push(chunk);
  }

  chunks(): readonly MessageChunk[] {
    return this.#chunks;
  }
}

/** A later output in the place of a preliminary one, with what the part would have kept of that. */
function replaceOutput(old: MessageChunk, chunk: MessageChunk): MessageChunk {
  const merged: Record<string, unknown> = { ...chunk };
  for (const key of ["providerExecuted", "toolMetadata", "providerMetadata"]) {
    if (merged[key] === undefined && old[key] !== undefined) merged[key] = old[key];
  }
  return merged;
}
