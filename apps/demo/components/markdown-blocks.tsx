// Shows blocks of Markdown. A block that is the same object is not drawn again, nor is a full group of them looked at.

import { Fragment, memo, type ReactElement, type ReactNode } from "react";
import type { Block, HeadingBlock, ListItem, TableRow } from "../lib/markdown-blocks.ts";
import type { Groups } from "../lib/markdown-groups.ts";
import { parseInline } from "../lib/markdown-inline.ts";
import type { Inline } from "../lib/markdown-marks.ts";
import { CodeBlockView } from "./code-block.tsx";

export function BlockViews({ blocks }: { readonly blocks: Groups<Block> }): ReactElement {
  return (
    <>
      {keyed(blocks, (group) => (
        <BlockGroup group={group} />
      ))}
    </>
  );
}

export const BlockGroup = memo(function BlockGroup({ group }: { readonly group: readonly Block[] }): ReactNode {
  return keyed(group, (block) => <BlockView block={block} />);
});

/** Blocks have no identity but their place: what has been written before a block does not change while it grows. */
export function keyed<T>(list: readonly T[], show: (entry: T) => ReactNode): ReactNode[] {
  return list.map((entry, index) => <Fragment key={index}>{show(entry)}</Fragment>);
}

interface BlockProps {
  readonly block: Block;
  readonly anchor?: string | undefined;
}

export const BlockView = memo(function BlockView({ block, anchor }: BlockProps): ReactNode {
  switch (block.type) {
    case "heading":
      return (
        <Heading level={block.level} anchor={anchor}>
          {inlineViews(parseInline(block.text, { isGrowing: block.isOpen }))}
        </Heading>
      );
    case "paragraph":
      return (
        <p>
          {keyed(block.pieces, (piece) => (
            <Piece piece={piece} />
          ))}
        </p>
      );
    case "code":
      return <CodeBlockView block={block} />;
    case "quote":
      return (
        <blockquote>
          <BlockViews blocks={block.blocks} />
        </blockquote>
      );
    case "list": {
      const items = keyed(block.items, (group) => <ItemGroup group={group} />);
      return block.isOrdered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case "table":
      return (
        // It scrolls sideways, so it must be reachable by the keyboard.
        <div className="table-scroll" tabIndex={0} role="group" aria-label="Table">
          <table>
            <thead>
              <tr>
                {keyed(block.head.cells, (cell) => (
                  <th scope="col">{inlineViews(parseInline(cell, { isGrowing: block.head.isOpen }))}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {keyed(block.rows, (group) => (
                <RowGroup group={group} />
              ))}
            </tbody>
          </table>
        </div>
      );
    case "rule":
      return <hr />;
  }
});

const Piece = memo(function Piece({ piece }: { readonly piece: readonly Inline[] }): ReactNode {
  return inlineViews(piece);
});

const ItemGroup = memo(function ItemGroup({ group }: { readonly group: readonly ListItem[] }): ReactNode {
  return keyed(group, (item) => <Item item={item} />);
});

const Item = memo(function Item({ item }: { readonly item: ListItem }): ReactNode {
  return (
    <li>
      <BlockViews blocks={item.blocks} />
    </li>
  );
});

const RowGroup = memo(function RowGroup({ group }: { readonly group: readonly TableRow[] }): ReactNode {
  return keyed(group, (row) => <Row row={row} />);
});

const Row = memo(function Row({ row }: { readonly row: TableRow }): ReactNode {
  return (
    <tr>
      {keyed(row.cells, (cell) => (
        <td>{inlineViews(parseInline(cell, { isGrowing: row.isOpen }))}</td>
      ))}
    </tr>
  );
});

interface HeadingProps {
  readonly level: HeadingBlock["level"];
  readonly anchor: string | undefined;
  readonly children: ReactNode;
}

function Heading({ level, anchor, children }: HeadingProps): ReactNode {
  const Tag = `h${level}` as const;
  return <Tag id={anchor}>{children}</Tag>;
}

function inlineViews(list: readonly Inline[]): ReactNode {
  return keyed(list, (entry) => {
    switch (entry.type) {
      case "text":
        return entry.text;
      case "code":
        return <code>{entry.text}</code>;
      case "break":
        return <br />;
      case "strong":
        return <strong>{inlineViews(entry.children)}</strong>;
      case "emphasis":
        return <em>{inlineViews(entry.children)}</em>;
      case "deleted":
        return <del>{inlineViews(entry.children)}</del>;
      case "pending":
        return <a>{inlineViews(entry.children)}</a>;
      case "link":
        return (
          <a href={entry.href} rel="noreferrer">
            {inlineViews(entry.children)}
          </a>
        );
    }
  });
}
