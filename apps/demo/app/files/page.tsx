import type { Metadata } from "next";
import type { ReactNode } from "react";
import { FilesPage } from "../../components/files-page.tsx";

export const metadata: Metadata = { title: "Files" };

export default function Page(): ReactNode {
  return <FilesPage />;
}
