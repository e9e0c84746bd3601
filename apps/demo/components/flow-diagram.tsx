// The picture on the first page: a source writes a log, and readers follow it, each from its own place.

import type { ReactElement } from "react";

const ITEMS = [0, 1, 2, 3, 4, 5, 6, 7];

const STEP = 22;

/** How far each reader is, in items; `shift` keeps two lines apart that leave from the same item. */
const READERS = [
  { name: "this tab", at: 8, shift: 3 },
  { name: "a second tab", at: 8, shift: -6 },
  { name: "back after a cut", at: 4, shift: -1 },
] as const;

export function FlowDiagram(): ReactElement {
  return (
    <svg
      className="diagram"
      viewBox="0 0 440 212"
      fill="none"
      role="img"
      aria-label="A source writes items into a log. Three readers follow the log: two tabs at its end, and one that was cut and goes on from the fifth item."
    >
      <text x="0" y="14">
        source
      </text>
      <path
        d="M0 34h64"
        stroke="currentColor"
        strokeWidth="2.500"
        strokeLinecap="round"
        className="flow diagram-accent"
      />
      <text x="78" y="14">
        log
      </text>
      <g className="diagram-accent" fill="currentColor">
        {ITEMS.map((item) => (
          <rect key={item} x={78 + item * STEP} y="26" width="16" height="16" rx="3" />
        ))}
      </g>
      <rect
        x={78.75 + ITEMS.length * STEP}
        y="26.75"
        width="14.500"
        height="14.500"
        rx="3"
        stroke="currentColor"
        strokeDasharray="2 3"
      />
      {READERS.map(({ name, at, shift }, row) => {
        const x = 78 + at * STEP - 14 + shift;
        const y = 88 + row * 52;
        return (
          <g key={name}>
            <path
              d={`M${x} 50V${y - 12}q0 12 12 12H310`}
              stroke="currentColor"
              strokeWidth="2"
              strokeLinecap="round"
              className={at < ITEMS.length ? "flow diagram-accent" : "flow"}
            />
            <text x="322" y={y + 4}>
              {name}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
