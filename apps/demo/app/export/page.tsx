import type { Metadata } from "next";
import type { ReactNode } from "react";
import { ExportPage } from "../../components/export-page.tsx";

export const metadata: Metadata = { title: "Export" };

export default function Page(): ReactNode {
  return <ExportPage />;
}
