// What lies in a folder, for the page that offers it.

import { folder } from "tailrace/node";

export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: string;
  readonly type: string;
}

/** The files of `root`, by name. */
export async function listFolder(root: string): Promise<readonly ListedFile[]> {
  const response = await folder(new Request("http://localhost/"), root, [], { listing: true });
  const { files } = (await response.json()) as { readonly files: readonly ListedFile[] };
  return files.toSorted((a, b) => a.name.localeCompare(b.name));
}
