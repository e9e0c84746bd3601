// What a format is: how items are written, and what is written around them.

/** Why a stream ended. Only `completed` is a whole one. */
export type EndReason = "completed" | "stopped" | "failed" | "interrupted";

/** The end of a stream, as its readers are told. `message` is meant for people and carries no internal details. */
export interface End {
  readonly reason: EndReason;
  readonly message?: string | undefined;
}
