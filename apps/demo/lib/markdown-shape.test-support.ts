// Blocks as tests compare them: without groups, pieces and colours.

import type { Block } from "./markdown-blocks.ts";
import type { Groups } from "./markdown-groups.ts";
import type { Inline } from "./markdown-marks.ts";

export function shapeOf(blocks: Groups<Block>): unknown[] {
  return blocks.flat().map((block) => {
    switch (block.type) {
      case "heading":
        return { type: block.type, level: block.level, text: block.text };
      case "paragraph":
        return { type: block.type, text: block.text };
      case "code":
        return { type: block.type, language: block.language, text: codeOf(block) };
      case "quote":
        return { type: block.type, blocks: shapeOf(block.blocks) };
      case "list": {
        const items = block.items.flat().map((item) => shapeOf(item.blocks));
        return { type: block.type, isOrdered: block.isOrdered, start: block.start, items };
      }
      case "table":
        return { type: block.type, head: block.head.cells, rows: block.rows.flat().map((row) => row.cells) };
      case "rule":
        return { type: block.type };
    }
  });
}

function codeOf({ lines }: Extract<Block, { type: "code" }>): string {
  return lines
    .flat()
    .map(({ tokens }) => tokens.map((token) => token.text).join(""))
    .join("\n");
}

/** How deep quotes stand inside one another. */
export function depthOf(blocks: Groups<Block>): number {
  const first = blocks[0]?.[0];
  return first?.type === "quote" ? 1 + depthOf(first.blocks) : 0;
}

/** Marks with neighbouring plain texts put together. */
export function mergedText(list: readonly Inline[]): Inline[] {
  const merged: Inline[] = [];
  for (const inline of list) {
    const last = merged.at(-1);
    if (inline.type === "text" && last?.type === "text") {
      merged[merged.length - 1] = { type: "text", text: last.text + inline.text };
    } else merged.push(inline);
  }
  return merged;
}
