import type { Metadata } from "next";
import { type ReactNode, Suspense } from "react";
import { ChatPage } from "../../components/chat-page.tsx";
import { ChatFrame } from "../../components/chat-shell.tsx";

export const metadata: Metadata = { title: "Chat" };

export default function Page(): ReactNode {
  return (
    <Suspense fallback={<ChatFrame />}>
      <ChatPage />
    </Suspense>
  );
}
