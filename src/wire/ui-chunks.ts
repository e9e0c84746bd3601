// The chunks of the AI SDK's UI message stream, version 1: the parts that every codec of an answer reads and writes.

/** Facts for or from one provider, by the provider's name. */
export type ProviderMetadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Why a model stopped. `interrupted`: it waits for somebody, as for an approval. */
export type FinishReason = "stop" | "length" | "content-filter" | "tool-calls" | "error" | "interrupted" | "other";

/** What an answer has used, in tokens. It travels as `{ usage }` in the metadata of the message. */
export interface TokenUsage {
  /** All tokens of the prompt, those from a cache included. */
  readonly inputTokens: number;
  /** All tokens that were written, those of the reasoning included. */
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly reasoningTokens?: number | undefined;
  readonly cachedInputTokens?: number | undefined;
}

// Types and not interfaces: a chunk may so be read as a record of fields that nobody has checked.
type WithProvider = {
  readonly providerMetadata?: ProviderMetadata | undefined;
};

type ToolFields = WithProvider & {
  readonly toolCallId: string;
  /** The provider runs the tool itself. */
  readonly providerExecuted?: boolean | undefined;
  readonly toolMetadata?: Readonly<Record<string, unknown>> | undefined;
  /** A tool whose types nobody knew beforehand. */
  readonly dynamic?: boolean | undefined;
};

type ToolInputFields = ToolFields & {
  readonly toolName: string;
  readonly title?: string | undefined;
};

/** What a piece of a text rests on. */
export interface TextCitation {
  readonly source: WithProvider & { readonly type: "source"; readonly id: string } & (
      | { readonly sourceType: "url"; readonly url: string; readonly title?: string | undefined }
      | {
          readonly sourceType: "document";
          readonly mediaType: string;
          readonly title: string;
          readonly filename?: string | undefined;
        }
    );
  readonly startIndex?: number | undefined;
  readonly endIndex?: number | undefined;
  readonly citedText?: string | undefined;
}

/** One part of a message that was added while the answer was being written. */
export type SteeringPart = WithProvider &
  (
    | { readonly type: "text"; readonly text: string }
    | {
        readonly type: "file";
        readonly mediaType: string;
        readonly url: string;
        readonly filename?: string | undefined;
        readonly providerReference?: Readonly<Record<string, string>> | undefined;
      }
  );

/** The words of an answer: a part begins, grows and ends under one id. */
export type TextChunk =
  | (WithProvider & { readonly type: "text-start" | "reasoning-start" | "reasoning-end"; readonly id: string })
  | (WithProvider & { readonly type: "text-delta" | "reasoning-delta"; readonly id: string; readonly delta: string })
  | (WithProvider & {
      readonly type: "text-end";
      readonly id: string;
      readonly citations?: readonly TextCitation[] | undefined;
    });

/** A tool call: its input as it is written, the approval, its output. */
export type ToolChunk =
  | (ToolInputFields & {
      readonly type: "tool-input-start";
      /** What the deltas are. @default "json" */
      readonly inputEncoding?: "json" | "text" | undefined;
    })
  | { readonly type: "tool-input-delta"; readonly toolCallId: string; readonly inputTextDelta: string }
  | (ToolInputFields & { readonly type: "tool-input-available"; readonly input: unknown })
  | (ToolInputFields & { readonly type: "tool-input-error"; readonly input: unknown; readonly errorText: string })
  | {
      readonly type: "tool-approval-request";
      readonly approvalId: string;
      readonly toolCallId: string;
      readonly approvalDescriptor?: unknown;
      readonly inputSchemaInput?: unknown;
      readonly reason?: string | undefined;
      readonly isAutomatic?: boolean | undefined;
      readonly signature?: string | undefined;
    }
  | (WithProvider & {
      readonly type: "tool-approval-response";
      readonly approvalId: string;
      readonly approved: boolean;
      readonly reason?: string | undefined;
      readonly providerExecuted?: boolean | undefined;
    })
  | (ToolFields & {
      readonly type: "tool-output-available";
      readonly output: unknown;
      /** More outputs of the same call will follow and take its place. */
      readonly preliminary?: boolean | undefined;
    })
  | (ToolFields & { readonly type: "tool-output-error"; readonly errorText: string })
  | { readonly type: "tool-output-denied"; readonly toolCallId: string };

/** What an answer refers to, and what it brings beside words. */
export type MaterialChunk =
  | (WithProvider & {
      readonly type: "source-url";
      readonly sourceId: string;
      readonly url: string;
      readonly title?: string | undefined;
    })
  | (WithProvider & {
      readonly type: "source-document";
      readonly sourceId: string;
      readonly mediaType: string;
      readonly title: string;
      readonly filename?: string | undefined;
    })
  | (WithProvider & { readonly type: "file" | "reasoning-file"; readonly url: string; readonly mediaType: string })
  | (WithProvider & { readonly type: "custom"; readonly kind: `${string}.${string}` })
  | {
      readonly type: `data-${string}`;
      /** A later chunk of the same type and id takes the place of the earlier one. */
      readonly id?: string | undefined;
      readonly data: unknown;
      /** Not for the message: only whoever reads it live gets it. */
      readonly transient?: boolean | undefined;
    };

/** The course of an answer: its beginning, its steps and its end. */
export type CourseChunk =
  | { readonly type: "start"; readonly messageId?: string | undefined; readonly messageMetadata?: unknown }
  /** `reset-step` takes back every part since the last `start-step`. */
  | { readonly type: "start-step" | "finish-step" | "reset-step" }
  | { readonly type: "steering-message"; readonly id: string; readonly parts: readonly SteeringPart[] }
  | { readonly type: "message-metadata"; readonly messageMetadata: unknown }
  | {
      readonly type: "finish";
      readonly finishReason?: FinishReason | undefined;
      readonly messageMetadata?: unknown;
    }
  | { readonly type: "abort"; readonly reason?: string | undefined }
  /** `reason` is an addition of ours: whether the answer failed or was interrupted. */
  | { readonly type: "error"; readonly errorText: string; readonly reason?: string | undefined };

/** One chunk of a UI message stream. `type` decides what else is there; fields that are not named here pass unchanged. */
export type UiChunk = TextChunk | ToolChunk | MaterialChunk | CourseChunk;
