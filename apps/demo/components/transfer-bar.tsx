// The bar of something that moves, with what was sent but is not yet stored behind it.

import type { CSSProperties, ReactElement } from "react";

interface BarProps {
  readonly label: string;
  readonly bytes: number;
  /** Null: unknown, and the bar only says that something moves. */
  readonly totalBytes: number | null;
  /** Bytes on their way, those of `bytes` included. */
  readonly sentBytes?: number | undefined;
  readonly status: string;
}

export function TransferBar({ label, bytes, totalBytes, sentBytes = 0, status }: BarProps): ReactElement {
  // An empty file has no share: it is full once it is there.
  const share = (value: number): number => (totalBytes === null || totalBytes === 0 ? 0 : value / totalBytes);
  const isFull = totalBytes === 0 && (status === "done" || status === "complete");
  const style = { "--sent": `${Math.min(100, share(sentBytes) * 100)}%` } as CSSProperties;
  return (
    <progress
      className="bar"
      style={style}
      aria-label={label}
      data-testid="progress"
      data-bytes={bytes}
      data-status={status}
      max={1}
      {...(totalBytes === null ? {} : { value: isFull ? 1 : Math.min(1, share(bytes)) })}
    />
  );
}
