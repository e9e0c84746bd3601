import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { readDocsFiles } from "../../lib/docs-files.ts";
import { documentTitle } from "../../lib/docs-passages.ts";

export const metadata: Metadata = { title: "Docs" };

export default function Docs(): ReactNode {
  const files = readDocsFiles();
  return (
    <main className="page">
      <h1>Documents</h1>
      <p className="lead">
        What lies in the repository, as it was when this demo was built. Without a model, the chat answers out of it.
      </p>
      <ul className="doc-list">
        {files.map((document) => (
          <li key={document.file}>
            <Link href={`/docs/${document.file}`}>
              {documentTitle(document)} <code>{document.file}</code>
            </Link>
          </li>
        ))}
      </ul>
      {files.length === 0 ? <p>There are none where this demo was built.</p> : null}
    </main>
  );
}
