// What a message is made of: its parts, in the shapes of the AI SDK's `UIMessage`.

/** Where a tool call stands. */
export type ToolState =
  | "input-streaming"
  | "input-available"
  | "approval-requested"
  | "approval-responded"
  | "output-available"
  | "output-error"
  | "output-denied";

/** The question whether a tool may run, and its answer. */
export interface ToolApproval {
  readonly id: string;
  /** Absent until it is answered. */
  readonly approved?: boolean | undefined;
  /** The answer's reason. */
  readonly reason?: string | undefined;
  readonly requestReason?: string | undefined;
  readonly descriptor?: unknown;
  readonly inputSchemaInput?: unknown;
  readonly isAutomatic?: boolean | undefined;
  readonly signature?: string | undefined;
}

/** One call of a tool: its input as it grows, its approval, its output. */
export interface ToolPart {
  /** `tool-NAME`, or `dynamic-tool` with the name in `toolName`. */
  readonly type: `tool-${string}` | "dynamic-tool";
  /** Only with `dynamic-tool`. */
  readonly toolName?: string | undefined;
  readonly toolCallId: string;
  readonly state: ToolState;
  readonly title?: string | undefined;
  /** While it is `input-streaming`, what is readable of it so far. */
  readonly input?: unknown;
  /** The text of an input that is not whole. */
  readonly rawInput?: string | undefined;
  readonly inputEncoding?: "json" | "text" | undefined;
  readonly output?: unknown;
  /** Whether another output will take this one's place. */
  readonly preliminary?: boolean | undefined;
  readonly errorText?: string | undefined;
  readonly approval?: ToolApproval | undefined;
  /** Whether the model's provider runs the tool. */
  readonly providerExecuted?: boolean | undefined;
  readonly toolMetadata?: unknown;
  readonly callProviderMetadata?: unknown;
  readonly resultProviderMetadata?: unknown;
}

/** Text, as it grows. */
export interface TextPart {
  readonly type: "text" | "reasoning";
  readonly text: string;
  readonly state?: "streaming" | "done" | undefined;
  readonly citations?: readonly unknown[] | undefined;
  readonly providerMetadata?: unknown;
}

/** One part of a message, in the AI SDK's shape. */
export type Part =
  | (TextPart & { readonly type: "text" })
  | (TextPart & { readonly type: "reasoning" })
  | {
      readonly type: "source-url";
      readonly sourceId: string;
      readonly url: string;
      readonly title?: string | undefined;
      readonly providerMetadata?: unknown;
    }
  | {
      readonly type: "source-document";
      readonly sourceId: string;
      readonly mediaType: string;
      readonly title: string;
      readonly filename?: string | undefined;
      readonly providerMetadata?: unknown;
    }
  | {
      readonly type: "file";
      readonly url: string;
      readonly mediaType: string;
      readonly filename?: string | undefined;
      readonly providerMetadata?: unknown;
    }
  | {
      readonly type: "reasoning-file";
      readonly url: string;
      readonly mediaType: string;
      readonly providerMetadata?: unknown;
    }
  /** Something of one provider alone; `kind` is `provider.type`. */
  | { readonly type: "custom"; readonly kind: string; readonly providerMetadata?: unknown }
  /** What the reader added while the answer was being written. */
  | { readonly type: "steering-message"; readonly id: string; readonly parts: readonly unknown[] }
  | { readonly type: "step-start" }
  | { readonly type: `data-${string}`; readonly id?: string | undefined; readonly data: unknown }
  | ToolPart;

/** Whether the part is a call of a tool. */
export function isToolPart(part: Part): part is ToolPart {
  return part.type === "dynamic-tool" || part.type.startsWith("tool-");
}

/** The name of the tool that the part calls. */
export function toolNameOf(part: ToolPart): string {
  return part.type === "dynamic-tool" ? (part.toolName ?? "") : part.type.slice("tool-".length);
}
