// A small line of the last values. The values themselves stand beside it as text.

import type { ReactElement } from "react";

interface SparklineProps {
  /** Oldest first. */
  readonly values: readonly number[];
  /** The top of the scale, unless a value is above it. The bottom is 0. */
  readonly scale: number;
  /** How many values fill the width; fewer stand at its right. */
  readonly width: number;
}

const HEIGHT = 28;
/** Room for half the line above and below. */
const EDGE = 1;

export function Sparkline({ values, scale, width }: SparklineProps): ReactElement {
  const top = Math.max(scale, ...values);
  const points = values.map((value, at) => {
    const x = width - values.length + at + 1;
    const y = HEIGHT - EDGE - (Math.max(0, value) / top) * (HEIGHT - 2 * EDGE);
    return `${x} ${y.toFixed(2)}`;
  });
  const first = width - values.length + 1;
  return (
    <svg className="sparkline" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
      <path d={`M0 ${HEIGHT - EDGE}H${width}`} className="sparkline-base" />
      {points.length < 2 ? null : (
        <>
          <path d={`M${first} ${HEIGHT}L${points.join("L")}V${HEIGHT}Z`} className="sparkline-area" />
          <path d={`M${points.join("L")}`} className="sparkline-line" />
        </>
      )}
    </svg>
  );
}
