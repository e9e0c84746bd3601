// A transform as a page shows it: one at a time, and at most one change of the screen per frame.

"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import type { OperationName } from "../lib/transforms.ts";
import { flow, type FlowReport, type Place } from "./transform-flow.ts";

export interface TransformState extends FlowReport {
  readonly status: "idle" | "running" | "done" | "stopped" | "failed";
  readonly totalBytes: number;
  readonly tookMs: number;
  readonly problem: string;
  /** All that came back, once it is done. */
  readonly result: Blob | null;
}

const IDLE: TransformState = {
  status: "idle",
  inBytes: 0,
  outBytes: 0,
  text: "",
  totalBytes: 0,
  tookMs: 0,
  problem: "",
  result: null,
};

export interface UseTransform extends TransformState {
  readonly start: (file: Blob, name: OperationName, place: Place) => void;
  readonly stop: () => void;
}

export function useTransform(): UseTransform {
  const [state, setState] = useState(IDLE);
  const life = useRef<AbortController>(undefined);
  const stop = useCallback(() => life.current?.abort(), []);
  useEffect(() => stop, [stop]);
  const start = useCallback((file: Blob, name: OperationName, place: Place): void => {
    life.current?.abort();
    const controller = (life.current = new AbortController());
    void run(file, name, place, controller.signal, (next) => {
      if (life.current === controller) setState(next);
    });
  }, []);
  return { ...state, start, stop };
}

async function run(
  file: Blob,
  name: OperationName,
  place: Place,
  signal: AbortSignal,
  show: (state: TransformState) => void,
): Promise<void> {
  const startedAt = performance.now();
  let state: TransformState = { ...IDLE, status: "running", totalBytes: file.size };
  let frame = 0;
  show(state);
  try {
    const done = await flow(file, name, place, signal, (report) => {
      state = { ...state, ...report, tookMs: performance.now() - startedAt };
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        show(state);
      });
    });
    state = { ...state, ...done, status: "done" };
  } catch (error) {
    const problem = signal.aborted ? "" : error instanceof Error ? error.message : String(error);
    state = { ...state, status: signal.aborted ? "stopped" : "failed", problem };
  }
  cancelAnimationFrame(frame);
  show({ ...state, tookMs: performance.now() - startedAt });
}
