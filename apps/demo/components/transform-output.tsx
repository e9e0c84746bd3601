// What has come back so far, and how much has gone each way.

"use client";

import type { ReactElement } from "react";
import { saveAs } from "tailrace/react";
import { amountWords, lineWords, rateWords, sizeWords } from "../lib/transfer-words.ts";
import { TransferBar } from "./transfer-bar.tsx";
import type { TransformState } from "./use-transform.ts";

const SPOKEN_BYTES = 100_000;

interface OutputProps {
  readonly state: TransformState;
  readonly onStop: () => void;
}

export function TransformOutput({ state, onStop }: OutputProps): ReactElement {
  const { status, text, inBytes, outBytes, totalBytes, result, problem } = state;
  return (
    <section aria-labelledby="transform-out" data-testid="transform" data-status={status}>
      <div className="transform-head">
        <h2 id="transform-out">Out</h2>
        <div className="transfer-actions">
          {status === "running" ? (
            <button type="button" className="button button-small" data-testid="stop" onClick={onStop}>
              Stop
            </button>
          ) : null}
          <button
            type="button"
            className="button button-small"
            disabled={result === null || outBytes === 0}
            onClick={() => {
              if (result !== null) saveAs(result, "transformed.txt");
            }}
          >
            Save
          </button>
        </div>
      </div>
      <TransferBar label="Bytes that have gone in" bytes={inBytes} totalBytes={totalBytes} status={status} />
      <p className="transfer-line" data-testid="amounts" data-in={inBytes} data-out={outBytes}>
        {amountsOf(state)}
      </p>
      <div role="alert">{problem === "" ? null : <p className="notice notice-danger">{problem}</p>}</div>
      <div role="status" className="visually-hidden">
        {spokenOf(state)}
      </div>
      {/* Scrolled by the keyboard too. */}
      <pre className="transform-text" data-testid="output" tabIndex={0} aria-labelledby="transform-out">
        {text}
      </pre>
      {outBytes > 0 && result !== null && text.length < outBytes && status === "done" && isCut(state) ? (
        <p className="transfer-line">Only the beginning is shown. Save it to have all {sizeWords(outBytes)}.</p>
      ) : null}
    </section>
  );
}

/** Whether there is more than is shown: a character has at most 4 bytes, so that this is told from the numbers. */
function isCut({ text, outBytes }: TransformState): boolean {
  return new TextEncoder().encode(text).length < outBytes;
}

/** What is said of an end. Nothing of a text that is short: it is sent anew with each pause in typing. */
function spokenOf({ status, inBytes, outBytes, totalBytes }: TransformState): string {
  if (status === "stopped") return "Stopped";
  if (status !== "done" || totalBytes < SPOKEN_BYTES) return "";
  return `Done: ${sizeWords(inBytes)} in, ${sizeWords(outBytes)} out`;
}

function amountsOf({ status, inBytes, outBytes, totalBytes, tookMs }: TransformState): string {
  const rate = tookMs > 0 && totalBytes > 1_000_000 ? rateWords((1_000 * inBytes) / tookMs) : "";
  const stopped = status === "stopped" ? "stopped" : "";
  return lineWords(`${amountWords(inBytes, totalBytes)} in`, `${sizeWords(outBytes)} out`, rate, stopped);
}
