import type { Metadata } from "next";
import type { ReactNode } from "react";
import { JobsPage } from "../../components/jobs-page.tsx";

export const metadata: Metadata = { title: "Jobs" };

export default function Page(): ReactNode {
  return <JobsPage />;
}
