// Shows Markdown that is being written. Headings get no anchors here: ids must be unique on a page.

"use client";

import { memo, type ReactElement, useState } from "react";
import { MarkdownStream } from "../lib/markdown-stream.ts";
import { BlockGroup } from "./markdown-blocks.tsx";

interface GrowingMarkdownProps {
  readonly text: string;
  /** True: more is coming, so the text may end in the middle of something. */
  readonly isGrowing: boolean;
}

/** What a further piece costs does not depend on how long the text is. It stays the same element when it has ended. */
export const GrowingMarkdown = memo(function GrowingMarkdown(props: GrowingMarkdownProps): ReactElement {
  // Kept over renders, and safe to ask twice: it gives the view of whatever text it is asked for.
  const [stream] = useState(() => new MarkdownStream());
  const groups = stream.view(props.text, props.isGrowing);
  // Only the groups at the end can change; the others need not be laid out.
  return (
    <>
      {groups.map((group, index) => (
        <div key={index} className={index < groups.length - 2 ? "prose-group prose-group-full" : "prose-group"}>
          <BlockGroup group={group} />
        </div>
      ))}
    </>
  );
});
