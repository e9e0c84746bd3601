import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound(): ReactNode {
  return (
    <main className="page">
      <h1>There is no such page</h1>
      <p className="lead">
        Nothing of this demo lies at this address. <Link href="/">Back to the start</Link>
      </p>
    </main>
  );
}
