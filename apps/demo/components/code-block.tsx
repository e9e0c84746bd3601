// A block of code: its language, a button that copies it, and its lines, each drawn once.

import { Fragment, memo, type ReactElement, type ReactNode } from "react";
import type { CodeBlock } from "../lib/markdown-blocks.ts";
import type { CodeLine } from "../lib/markdown-code.ts";
import { CopyCode } from "./code-block-copy.tsx";

export function CodeBlockView({ block }: { readonly block: CodeBlock }): ReactElement {
  return (
    <div className="code" data-language={block.language || undefined}>
      <div className="code-bar">
        <span>{block.language || "code"}</span>
        <CopyCode />
      </div>
      {/* It scrolls sideways, so it must be reachable by the keyboard. */}
      <pre tabIndex={0}>
        <code>
          {block.lines.map((group, index) => (
            <LineGroup key={index} group={group} />
          ))}
        </code>
      </pre>
    </div>
  );
}

const LineGroup = memo(function LineGroup({ group }: { readonly group: readonly CodeLine[] }): ReactNode {
  return group.map((line, index) => <Line key={index} line={line} />);
});

const Line = memo(function Line({ line }: { readonly line: CodeLine }): ReactNode {
  return (
    <>
      {line.tokens.map(({ kind, text }, index) =>
        kind === "plain" ? (
          <Fragment key={index}>{text}</Fragment>
        ) : (
          <span key={index} className={`code-${kind}`}>
            {text}
          </span>
        ),
      )}
      {"\n"}
    </>
  );
});
