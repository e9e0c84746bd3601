// The chat's icons: drawn alike, and named by the buttons that they stand in.

import type { ReactElement } from "react";

const PATHS = {
  menu: "M2.500 4.500h11M2.500 8h11M2.500 11.500h7",
  close: "M4 4l8 8M12 4l-8 8",
  more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  copy: "M6 6h7v7.500H6zM10 6V2.500H3V10h3",
  done: "M3 8.500l3.500 3.500L13 4.500",
  edit: "M3 13l.7-3 7-7 2.300 2.300-7 7zM9.500 4.200l2.300 2.300",
  again: "M13 8a5 5 0 1 1-1.600-3.700M13 2.500v2.800h-2.800",
  previous: "M9.500 4L5.500 8l4 4",
  next: "M6.500 4l4 4-4 4",
  clip: "M13 7.200l-5.200 5.200a3 3 0 0 1-4.300-4.300l5.600-5.500a2 2 0 0 1 2.900 2.900L6.500 11a1 1 0 0 1-1.500-1.400l4.700-4.700",
  plus: "M8 3v10M3 8h10",
} as const;

export function Icon({ name }: { readonly name: keyof typeof PATHS }): ReactElement {
  return (
    <svg
      className="icon"
      width="16"
      height="16"
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
