// Shows a whole text of Markdown, as a document of the site is.

import { Fragment, type ReactElement } from "react";
import { HeadingAnchors } from "../lib/heading-anchors.ts";
import { MarkdownStream } from "../lib/markdown-stream.ts";
import { BlockView } from "./markdown-blocks.tsx";

interface MarkdownProps {
  readonly text: string;
  /** True: headings get the anchors of a document. */
  readonly anchors?: boolean | undefined;
  /** True: more is coming. It is read anew each time; what shows long answers as they grow is `GrowingMarkdown`. */
  readonly isGrowing?: boolean | undefined;
}

/** Markdown, safely: no HTML of the text's own, and links to http, https and places on this site only. */
export function Markdown({ text, anchors = false, isGrowing = false }: MarkdownProps): ReactElement {
  const names = anchors ? new HeadingAnchors() : undefined;
  return (
    <>
      {new MarkdownStream()
        .view(text, isGrowing)
        .flat()
        .map((block, index) => (
          <Fragment key={index}>
            <BlockView block={block} anchor={block.type === "heading" ? names?.next(block.text) : undefined} />
          </Fragment>
        ))}
    </>
  );
}
