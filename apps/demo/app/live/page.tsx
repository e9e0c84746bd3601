import type { Metadata } from "next";
import type { ReactNode } from "react";
import { Live } from "../../components/live.tsx";

export const metadata: Metadata = { title: "Live" };

export default function Page(): ReactNode {
  return <Live />;
}
