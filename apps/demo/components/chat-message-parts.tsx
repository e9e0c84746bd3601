// The parts of an answer, in their order: text, files, and folded what led to it.

"use client";

import { memo, type ReactNode } from "react";
import type { ApprovalAnswer, ChatMessage } from "tailrace/react";
import { FileView } from "./chat-file.tsx";
import { Folded, ToolView } from "./chat-tool.tsx";
import { GrowingMarkdown } from "./markdown-growing.tsx";

export type Part = ChatMessage["parts"][number];

interface PartProps {
  readonly part: Part;
  readonly isGrowing: boolean;
  /** Whether the answer has ended. */
  readonly isEnded: boolean;
  readonly onApproval: (answer: ApprovalAnswer) => boolean;
}

/** A part that has not changed is the same object, and is not drawn again. */
export const PartView = memo(function PartView({ part, isGrowing, isEnded, onApproval }: PartProps): ReactNode {
  switch (part.type) {
    case "text":
      return (
        <div className="prose">
          <GrowingMarkdown text={part.text} isGrowing={isGrowing} />
        </div>
      );
    case "reasoning":
      return part.text === "" ? null : (
        <Folded title={isGrowing ? "Reasoning…" : "Reasoning"}>
          {() => (
            <div className="prose">
              <GrowingMarkdown text={part.text} isGrowing={isGrowing} />
            </div>
          )}
        </Folded>
      );
    case "file":
      return <FileView file={part} />;
    default:
      return "toolCallId" in part ? <ToolView part={part} isEnded={isEnded} onApproval={onApproval} /> : null;
  }
});
