import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import type { ReactNode } from "react";
import { Markdown } from "../../../components/markdown.tsx";
import { type DocsFile, readDocsFiles } from "../../../lib/docs-files.ts";
import { linkDocs } from "../../../lib/docs-links.ts";
import { documentTitle } from "../../../lib/docs-passages.ts";

interface Props {
  readonly params: Promise<{ readonly path: readonly string[] }>;
}

/** Every document is a page of its own, made by the build. */
export function generateStaticParams(): { path: string[] }[] {
  return readDocsFiles().map(({ file }) => ({ path: file.split("/") }));
}

export async function generateMetadata(props: Props): Promise<Metadata> {
  return { title: documentTitle(await documentOf(props)) };
}

export default async function Document(props: Props): Promise<ReactNode> {
  const { text } = await documentOf(props);
  return (
    <main className="page">
      <p className="back">
        <Link href="/docs">All documents</Link>
      </p>
      <article className="document prose">
        <Markdown text={text} anchors />
      </article>
    </main>
  );
}

async function documentOf({ params }: Props): Promise<DocsFile> {
  const written = (await params).path.join("/");
  const files = readDocsFiles();
  const found = files.find(({ file }) => file === written || encodeURI(file) === written) ?? notFound();
  return { file: found.file, text: linkDocs(found, new Set(files.map(({ file }) => file))) };
}
