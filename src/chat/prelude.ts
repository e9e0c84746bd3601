// Merges the chunks that a late reader has missed into few: finished parts as one delta each, open parts opened again, tools and data
// as they stand. Folding the result gives the same message as folding the chunks one by one.

import type { MessageChunk } from "../wire/ui-message.ts";
import { mergeMetadata } from "../wire/ui-message.ts";
import { ToolSlot } from "./prelude-tool.ts";

/** A segment is given out when it holds more characters of text than this: 4,194,304. */
const MAX_CHARS = 4_194_304;
/** A segment is given out when it holds more parts than this: 10,000. */
const MAX_SLOTS_COUNT = 10_000;

/** A place among the merged chunks. Chunks join one that is there when they change nothing that stands between. */
interface Slot {
  chunks(): readonly MessageChunk[];
  /** Whether it made its part itself, so that a reset of the step that it stands in drops it whole. */
  readonly isWhole: boolean;
  /** A step's beginning. */
  readonly isStep?: boolean | undefined;
}

/** Options of {@link Prelude}. */
export interface PreludeOptions {
  /** @default 4194304 */
  readonly maxChars?: number | undefined;
  /** @default 10000 */
  readonly maxSlotsCount?: number | undefined;
}

/** Takes chunks in their order and gives them merged. What it gives may be folded behind anything that came before. */
export class Prelude {
  readonly #maxChars: number;
  readonly #maxSlots: number;
  #slots: Slot[] = [];
  /** The slots that later chunks may join, by what they are of. */
  readonly #open = new Map<string, TextSlot>();
  readonly #data = new Map<string, DataSlot>();
  /** The calls of this step, and the latest of each before. */
  readonly #step = new Map<string, ToolSlot>();
  readonly #calls = new Map<string, ToolSlot>();
  readonly #approvals = new Map<string, ToolSlot>();
  #metadata: MetadataSlot | undefined;
  #chars = 0;

  constructor(options: PreludeOptions = {}) {
    this.#maxChars = options.maxChars ?? MAX_CHARS;
    this.#maxSlots = options.maxSlotsCount ?? MAX_SLOTS_COUNT;
  }

  /** Whether it holds as much as it may: take what it has, and go on. */
  get isFull(): boolean {
    return this.#chars > this.#maxChars || this.#slots.length > this.#maxSlots;
  }

  /** The merged chunks, which it forgets. */
  take(): readonly MessageChunk[] {
    const chunks = this.#slots.flatMap((slot) => slot.chunks());
    this.#slots = [];
    this.#chars = 0;
    this.#forget();
    return chunks;
  }

  /** @param chars how long the chunk is, in characters; its JSON text will do */
  add(chunk: MessageChunk, chars = 0): void {
    this.#chars += chars;
    const type = typeof chunk["type"] === "string" ? chunk["type"] : "";
    const kind = type.startsWith("data-") ? "data" : type;
    switch (kind) {
      case "text-start":
      case "reasoning-start":
        this.#openText(kind.slice(0, -6), chunk).start(chunk);
        return;
      case "text-delta":
      case "reasoning-delta":
        this.#text(kind.slice(0, -6), chunk).grow(chunk);
        return;
      case "text-end":
      case "reasoning-end":
        this.#text(kind.slice(0, -4), chunk).finish(chunk);
        this.#open.delete(`${kind.slice(0, -4)}:${String(chunk["id"])}`);
        return;
      case "data":
        this.#addData(type, chunk);
        return;
      case "message-metadata":
        this.#addMetadata(chunk);
        return;
      case "start-step":
        this.#step.clear();
        this.#slots.push({ chunks: () => [chunk], isWhole: false, isStep: true });
        return;
      case "reset-step":
        this.#resetStep(chunk);
        return;
      case "start":
      case "finish":
      case "abort":
      case "error":
        // It may begin or close the message: nothing that follows may be moved before it.
        this.#forget();
        if (type === "start") this.#push((this.#metadata = new MetadataSlot(chunk)));
        else this.#push(single(chunk, false));
        return;
      default:
        if (type.startsWith("tool-")) this.#addTool(type, chunk);
        else if (type !== "finish-step") this.#push(single(chunk, true));
        else this.#push(single(chunk, false));
    }
  }

  #push(slot: Slot): void {
    this.#slots.push(slot);
  }

  #forget(): void {
    for (const map of [this.#open, this.#data, this.#step, this.#calls, this.#approvals]) map.clear();
    this.#metadata = undefined;
  }

  #openText(kind: string, chunk: MessageChunk): TextSlot {
    const slot = new TextSlot(kind, chunk["id"]);
    this.#open.set(`${kind}:${String(chunk["id"])}`, slot);
    this.#push(slot);
    return slot;
  }

  #text(kind: string, chunk: MessageChunk): TextSlot {
    return this.#open.get(`${kind}:${String(chunk["id"])}`) ?? this.#openText(kind, chunk);
  }

  #addData(type: string, chunk: MessageChunk): void {
    // A transient one is for those who were there when it came.
    if (chunk["transient"] === true) return;
    const { id } = chunk as { readonly id?: unknown };
    const key = JSON.stringify([type, id]);
    const known = typeof id === "string" ? this.#data.get(key) : undefined;
    if (known !== undefined) {
      known.replace(chunk);
      return;
    }
    const slot = new DataSlot(chunk, typeof id !== "string");
    if (typeof id === "string") this.#data.set(key, slot);
    this.#push(slot);
  }

  #addMetadata(chunk: MessageChunk): void {
    if (this.#metadata === undefined) this.#push((this.#metadata = new MetadataSlot(chunk)));
    else this.#metadata.add(chunk);
  }

  #addTool(type: string, chunk: MessageChunk): void {
    const id = String(chunk["toolCallId"]);
    const isInput = type.startsWith("tool-input-");
    let slot: ToolSlot | undefined;
    if (type === "tool-approval-response") slot = this.#approvals.get(String(chunk["approvalId"]));
    else if (isInput) slot = this.#step.get(id);
    else slot = this.#step.get(id) ?? this.#calls.get(id);
    if (slot === undefined || !slot.takes(chunk)) {
      slot = new ToolSlot(isInput && type !== "tool-input-delta");
      this.#push(slot);
      if (type !== "tool-approval-response") {
        this.#step.set(id, slot);
        this.#calls.set(id, slot);
      }
    }
    if (type === "tool-approval-request") this.#approvals.set(String(chunk["approvalId"]), slot);
    slot.add(chunk);
  }

  /** Drops what came since the step began. What may belong to a part from before it stays, and then the reset with it. */
  #resetStep(chunk: MessageChunk): void {
    const at = this.#slots.findLastIndex((slot) => slot.isStep === true);
    const behind = at < 0 ? this.#slots : this.#slots.slice(at + 1);
    const kept = behind.filter((slot) => !slot.isWhole);
    this.#slots = at < 0 ? kept : [...this.#slots.slice(0, at + 1), ...kept];
    const dropped = new Set<Slot>(behind.filter((slot) => slot.isWhole));
    this.#open.clear();
    this.#step.clear();
    for (const map of [this.#data, this.#calls, this.#approvals] as readonly Map<string, Slot>[]) {
      for (const [key, slot] of map) if (dropped.has(slot)) map.delete(key);
    }
    if (at >= 0 && kept.length === 0) return;
    this.#forget();
    this.#push(single(chunk, false));
  }
}

function single(chunk: MessageChunk, isWhole: boolean): Slot {
  return { chunks: () => [chunk], isWhole };
}

/** A text or reasoning part: its start, one delta, its end, as far as they have come. */
class TextSlot implements Slot {
  readonly #kind: string;
  readonly #id: unknown;
  #start: MessageChunk | undefined;
  #delta: MessageChunk | undefined;
  #text = "";
  #end: MessageChunk | undefined;

  constructor(kind: string, id: unknown) {
    this.#kind = kind;
    this.#id = id;
  }

  get isWhole(): boolean {
    return this.#start !== undefined;
  }

  start(chunk: MessageChunk): void {
    this.#start = chunk;
  }

  grow(chunk: MessageChunk): void {
    const { delta } = chunk as { readonly delta?: unknown };
    if (typeof delta === "string") this.#text += delta;
    // What the latest delta does not say stays as an earlier one said it.
    this.#delta = { ...this.#delta, ...chunk };
  }

  finish(chunk: MessageChunk): void {
    this.#end = chunk;
  }

  chunks(): readonly MessageChunk[] {
    const delta = this.#delta && {
      ...this.#delta,
      type: `${this.#kind}-delta`,
      id: this.#id,
      delta: this.#text,
    };
    return [this.#start, delta, this.#end].filter((chunk) => chunk !== undefined);
  }
}

/** A data part that may be replaced in its place. */
class DataSlot implements Slot {
  #chunk: MessageChunk;
  readonly isWhole: boolean;

  constructor(chunk: MessageChunk, isWhole: boolean) {
    this.#chunk = chunk;
    this.isWhole = isWhole;
  }

  replace(chunk: MessageChunk): void {
    this.#chunk = { ...this.#chunk, data: chunk["data"] };
  }

  chunks(): readonly MessageChunk[] {
    return [this.#chunk];
  }
}

/** The message's metadata, merged into the `start` that it belongs to, or else into the first chunk that brought any. */
class MetadataSlot implements Slot {
  readonly isWhole = false;
  #chunk: MessageChunk;

  constructor(chunk: MessageChunk) {
    this.#chunk = chunk;
  }

  add(chunk: MessageChunk): void {
    const added = chunk["messageMetadata"];
    if (typeof added !== "object" || added === null) return;
    const old = this.#chunk["messageMetadata"];
    const isMerged = typeof old === "object" && old !== null;
    this.#chunk = {
      ...this.#chunk,
      messageMetadata: isMerged ? mergeMetadata(old as MessageChunk, added as MessageChunk) : added,
    };
  }

  chunks(): readonly MessageChunk[] {
    return [this.#chunk];
  }
}
