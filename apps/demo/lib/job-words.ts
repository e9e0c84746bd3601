// How a job stands, in words.

import type { JobLogLine, JobSnapshot } from "tailrace/react";
import { amountWords, lineWords, rateWords, remainingWords } from "./transfer-words.ts";

/** What the job does. */
export function kindWords({ kind, input }: JobSnapshot): string {
  const { folder, file } = (input ?? {}) as { readonly folder?: string; readonly file?: string };
  if (kind === "hash") return folder === undefined ? "Hash a folder" : `Hash the files in ${folder}`;
  if (kind === "words") return file === undefined ? "Count the words of a text" : `Count the words of ${file}`;
  return kind ?? "A job";
}

export function jobWords(job: JobSnapshot): string {
  const { state, position, progress, failure, carriedOnCount } = job;
  const amount = progress === undefined ? "" : amountWords(progress.done, progress.total);
  const carriedOn = carriedOnCount === 0 ? "" : "carried on after the server's end";
  switch (state) {
    case "queued":
      return lineWords(position === undefined || position === 0 ? "Waiting" : `Waiting, number ${position}`, carriedOn);
    case "running":
      return lineWords(
        progress?.percent === undefined ? "Running" : `${progress.percent} %`,
        amount,
        rateWords(progress?.ratePerSecond ?? 0),
        remainingWords(progress?.remainingMs),
        carriedOn,
      );
    case "completed":
      return lineWords("Done", resultWords(job), tookWords(job), carriedOn);
    case "stopped":
      return lineWords("Cancelled", amount);
    case "failed":
      return lineWords(failure?.message ?? "Failed: the server's log says why", amount);
    case "interrupted":
      return lineWords("Interrupted: the server that ran it has ended", amount);
  }
}

function resultWords({ result }: JobSnapshot): string {
  if (typeof result !== "object" || result === null) return "";
  return Object.entries(result as Record<string, unknown>)
    .map(([name, value]) =>
      // The names of a result's members are plurals.
      name === "bytes" && typeof value === "number"
        ? amountWords(value, null)
        : `${String(value)} ${value === 1 ? name.replace(/s$/, "") : name}`,
    )
    .join(", ");
}

function tookWords({ startedAtMs, endedAtMs }: JobSnapshot): string {
  if (startedAtMs === undefined || endedAtMs === undefined) return "";
  const tookMs = endedAtMs - startedAtMs;
  return tookMs < 100 ? "at once" : `in ${(tookMs / 1_000).toFixed(1)} s`;
}

/** A line of a log, with its time of day. */
export function lineOf({ atMs, level, text }: JobLogLine): string {
  const time = new Date(atMs).toTimeString().slice(0, 8);
  return level === "info" ? `${time}  ${text}` : `${time}  ${level}: ${text}`;
}

/** How an export stands: in rows, where a job stands in bytes. */
export function exportWords(job: JobSnapshot, { rows, bytes, isExpired }: ExportAmounts): string {
  const { state, position, progress, failure, carriedOnCount } = job;
  const carriedOn = carriedOnCount === 0 ? "" : "carried on after the server's end";
  const count = (value: number): string => value.toLocaleString("en");
  const rowWords = (value: number): string => `${count(value)} ${value === 1 ? "row" : "rows"}`;
  switch (state) {
    case "queued":
      return lineWords(position === undefined || position === 0 ? "Waiting" : `Waiting, number ${position}`, carriedOn);
    case "running":
      return lineWords(
        progress?.percent === undefined ? "Running" : `${progress.percent} %`,
        progress === undefined ? "" : rowWords(progress.done),
        progress === undefined || progress.ratePerSecond === 0
          ? ""
          : `${count(Math.round(progress.ratePerSecond))} rows/s`,
        remainingWords(progress?.remainingMs),
        carriedOn,
      );
    case "completed":
      return lineWords(
        isExpired ? "Removed" : "Done",
        rowWords(rows),
        amountWords(bytes, null),
        tookWords(job),
        carriedOn,
      );
    // What was written of these is removed: how much it was says nothing any more.
    case "stopped":
      return "Cancelled";
    case "failed":
      return failure?.message ?? "Failed: the server's log says why";
    case "interrupted":
      return "Interrupted: the server that made it has ended";
  }
}

interface ExportAmounts {
  readonly rows: number;
  readonly bytes: number;
  readonly isExpired: boolean;
}
