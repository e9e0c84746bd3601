import type { Metadata } from "next";
import { type ReactNode, Suspense } from "react";
import { ChatShell } from "../../../components/chat-shell.tsx";
import { StockChatPage } from "../../../components/stock-chat-page.tsx";

export const metadata: Metadata = { title: "Chat with the AI SDK" };

export default function Page(): ReactNode {
  return (
    <Suspense fallback={<ChatShell />}>
      <StockChatPage />
    </Suspense>
  );
}
