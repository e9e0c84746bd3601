// What an upload shows of one stretch of bytes on its way, and how several stretches show as one.

import type { TailraceError } from "../errors.ts";
import type { Retries } from "./transfer-retry.ts";
import type { UploadResult, UploadStatus } from "./upload-types.ts";

/** One stretch of the file: all of it, or a part that is sent beside others. */
export interface Lane {
  readonly retries: Retries;
  readonly totalBytes: number;
  readonly stage: "creating" | "sending" | "verifying" | "stored";
  /** Bytes given to the network, those stored included. */
  readonly bytesSent: number;
  readonly bytesStored: number;
  readonly restarted: number;
}

/** A way to bring a file to a server. */
export interface UploadProtocol {
  readonly lanes: readonly Lane[];
  readonly uploadId: string | null;
  /** Brings what is missing; called again after a pause. */
  run(signal: AbortSignal): Promise<UploadResult>;
  /** Asks the server to remove what it has. Rejects when it does not. */
  terminate(): Promise<void>;
  /** Forgets what would let the file go on later: it is done, or has failed with this error. */
  forget(error: TailraceError | null): Promise<void>;
  /** The upload is over: another one may go on with what is remembered. */
  release(): void;
}

/** What the lanes show together. */
export interface LaneSummary {
  readonly status: UploadStatus;
  readonly bytesSent: number;
  readonly bytesStored: number;
  readonly attempt: number;
  readonly retryAt: number | null;
  readonly restarted: number;
  readonly error: TailraceError | null;
}

function sum(lanes: readonly Lane[], of: (lane: Lane) => number): number {
  return lanes.reduce((total, lane) => total + of(lane), 0);
}

function statusOf(active: readonly Lane[]): UploadStatus {
  const going = active.filter((lane) => lane.retries.retryAt === null);
  if (active.length > 0 && going.length === 0) return "waiting";
  if (going.some((lane) => lane.stage === "sending")) return "sending";
  return going.some((lane) => lane.stage === "creating") ? "creating" : "verifying";
}

/** Joins the lanes. It waits only when nothing else goes on. */
export function summarize(lanes: readonly Lane[]): LaneSummary {
  const active = lanes.filter((lane) => lane.stage !== "stored");
  const status = statusOf(active);
  const lost = active.filter((lane) => lane.retries.error !== null);
  const due = active.flatMap((lane) => lane.retries.retryAt ?? []);
  return {
    status,
    bytesSent: sum(lanes, (lane) => lane.bytesSent),
    bytesStored: sum(lanes, (lane) => lane.bytesStored),
    attempt: Math.max(0, ...active.map((lane) => lane.retries.attempt)),
    retryAt: status === "waiting" ? Math.min(...due) : null,
    restarted: sum(lanes, (lane) => lane.restarted),
    error: lost[0]?.retries.error ?? null,
  };
}
