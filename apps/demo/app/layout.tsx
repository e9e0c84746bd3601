import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { SiteHeader } from "../components/site-header.tsx";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "Tailrace: streams that survive", template: "%s · Tailrace" },
  description: "A demo of streaming HTTP responses that survive a reload, a second tab and the end of the server.",
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f5f8f7" },
    { media: "(prefers-color-scheme: dark)", color: "#0d1413" },
  ],
};

export default function Layout({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <html lang="en">
      <body>
        <a href="#content" className="skip">
          Skip to the content
        </a>
        <SiteHeader />
        {/* Here and not on the pages: a page that is left may stay in the document, hidden. */}
        <div id="content" tabIndex={-1}>
          {children}
        </div>
      </body>
    </html>
  );
}
