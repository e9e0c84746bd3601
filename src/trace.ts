// Where errors go that no caller is there to receive: a diagnostics channel, or the console when nobody listens.

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

interface ProcessLike {
  getBuiltinModule?(id: "node:diagnostics_channel"): { channel(name: string): Channel };
}

/** What a subscriber of the diagnostics channel `tailrace:error` gets. */
export interface ReportedError {
  /** The part of Tailrace that met the error, for example `reply` or `run`. */
  readonly where: string;
  readonly error: unknown;
}

/**
 * Reports an error that cannot be thrown at anybody, such as one in a source whose reader gets only a neutral message.
 * It goes to the Node diagnostics channel `tailrace:error`; without a subscriber, to `console.error`.
 */
export function report(where: string, error: unknown): void {
  // Through `process` instead of an import, so that the module also loads where there is no node:diagnostics_channel.
  const host = (globalThis as { process?: ProcessLike }).process;
  const channel = host?.getBuiltinModule?.("node:diagnostics_channel").channel("tailrace:error");
  if (channel?.hasSubscribers === true) channel.publish({ where, error } satisfies ReportedError);
  // oxlint-disable-next-line no-console -- the last resort: an error that nobody sees is worse
  else console.error(`tailrace (${where}):`, error);
}
