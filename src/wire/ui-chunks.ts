// The chunks of the AI SDK's UI message stream, version 1, that Tailrace writes itself. Others pass through unread.

/** One chunk of a UI message stream. `type` decides what else is there; fields that are not named here pass unchanged. */
export type UiChunk =
  | { readonly type: "start"; readonly messageId?: string | undefined; readonly messageMetadata?: unknown }
  | { readonly type: "text-start" | "text-end" | "reasoning-start" | "reasoning-end"; readonly id: string }
  | { readonly type: "text-delta" | "reasoning-delta"; readonly id: string; readonly delta: string }
  | {
      readonly type: "source-url";
      readonly sourceId: string;
      readonly url: string;
      readonly title?: string | undefined;
    }
  | {
      readonly type: `data-${string}`;
      readonly id?: string | undefined;
      readonly data: unknown;
      readonly transient?: boolean | undefined;
    }
  | { readonly type: "start-step" | "finish-step" }
  | { readonly type: "finish"; readonly finishReason?: string | undefined }
  | { readonly type: "abort"; readonly reason?: string | undefined }
  | { readonly type: "error"; readonly errorText: string; readonly reason?: string | undefined };
