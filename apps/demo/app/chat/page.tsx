import type { Metadata } from "next";
import { type ReactNode, Suspense } from "react";
import { ChatPage } from "../../components/chat-page.tsx";
import { ChatShell } from "../../components/chat-shell.tsx";

export const metadata: Metadata = { title: "Chat" };

export default function Page(): ReactNode {
  return (
    <Suspense fallback={<ChatShell />}>
      <ChatPage />
    </Suspense>
  );
}
