// Shows Markdown as React elements. A block is drawn anew only when its own text changes, so that an answer that grows
// costs what its last block costs.

import { Fragment, memo, type ReactElement, type ReactNode } from "react";
import { HeadingAnchors } from "../lib/heading-anchors.ts";
import { type Block, type HeadingBlock, parseMarkdown } from "../lib/markdown-blocks.ts";
import { type Inline, parseInline } from "../lib/markdown-inline.ts";

interface MarkdownProps {
  readonly text: string;
  /** True: headings get the anchors of a document. In an answer they get none, since ids must be unique on a page. */
  readonly anchors?: boolean | undefined;
  /** True: more is coming, so the last block may end in the middle of something. */
  readonly isGrowing?: boolean | undefined;
}

/** Markdown, safely: no HTML of the text's own, and links to http, https and places on this site only. */
export function Markdown({ text, anchors = false, isGrowing = false }: MarkdownProps): ReactElement {
  const names = anchors ? new HeadingAnchors() : undefined;
  const blocks = parseMarkdown(text);
  return (
    <>
      {keyed(blocks, (block) => (
        <BlockView
          block={block}
          anchor={block.type === "heading" ? names?.next(block.text) : undefined}
          isGrowing={isGrowing && block === blocks.at(-1)}
        />
      ))}
    </>
  );
}

/** Blocks have no identity but their place: what has been written before a block does not change while it grows. */
function keyed<T>(list: readonly T[], show: (entry: T) => ReactNode): ReactNode[] {
  return list.map((entry, index) => <Fragment key={index}>{show(entry)}</Fragment>);
}

interface BlockProps {
  readonly block: Block;
  readonly anchor?: string | undefined;
  readonly isGrowing: boolean;
}

const BlockView = memo(
  function BlockView({ block, anchor, isGrowing }: BlockProps): ReactNode {
    const inline = (text: string): ReactNode => inlineViews(parseInline(text, { isGrowing }));
    switch (block.type) {
      case "heading":
        return (
          <Heading level={block.level} anchor={anchor}>
            {inline(block.text)}
          </Heading>
        );
      case "paragraph":
        return <p>{inline(block.text)}</p>;
      case "code":
        return (
          // It scrolls sideways, so it must be reachable by the keyboard.
          <pre tabIndex={0} data-language={block.language || undefined}>
            <code>{block.text}</code>
          </pre>
        );
      case "quote":
        return <blockquote>{blockViews(block.blocks, isGrowing)}</blockquote>;
      case "list": {
        const items = keyed(block.items, (item) => <li>{itemContent(item, isGrowing)}</li>);
        return block.isOrdered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
      }
      case "table":
        return (
          <div className="table-scroll">
            <table>
              <thead>
                <tr>
                  {keyed(block.head, (cell) => (
                    <th scope="col">{inline(cell)}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {keyed(block.rows, (row) => (
                  <tr>
                    {keyed(row, (cell) => (
                      <td>{inline(cell)}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        );
      case "rule":
        return <hr />;
    }
  },
  (before, after) =>
    before.block.type === after.block.type &&
    before.block.raw === after.block.raw &&
    before.anchor === after.anchor &&
    before.isGrowing === after.isGrowing,
);

function blockViews(blocks: readonly Block[], isGrowing: boolean): ReactNode {
  return keyed(blocks, (block) => <BlockView block={block} isGrowing={isGrowing} />);
}

/** A list item that is one paragraph is shown without one. */
function itemContent(item: readonly Block[], isGrowing: boolean): ReactNode {
  const [first, ...rest] = item;
  if (first?.type !== "paragraph" || rest.some((block) => block.type === "paragraph")) {
    return blockViews(item, isGrowing);
  }
  return (
    <>
      {inlineViews(parseInline(first.text, { isGrowing }))}
      {blockViews(rest, isGrowing)}
    </>
  );
}

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
      case "link":
        return (
          <a href={entry.href} rel="noreferrer">
            {inlineViews(entry.children)}
          </a>
        );
    }
  });
}
