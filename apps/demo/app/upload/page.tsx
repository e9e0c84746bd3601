import type { Metadata } from "next";
import type { ReactNode } from "react";
import { UploadPage } from "../../components/upload-page.tsx";

export const metadata: Metadata = { title: "Upload" };

export default function Page(): ReactNode {
  return <UploadPage />;
}
