import type { Metadata } from "next";
import type { ReactNode } from "react";
import { TransformPage } from "../../components/transform-page.tsx";

export const metadata: Metadata = { title: "Transform" };

export default function Page(): ReactNode {
  return <TransformPage />;
}
