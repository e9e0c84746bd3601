// The ids of uploads: ours, never the sender's, and the only thing of a request that ever becomes part of a path.

/** 128 random bits as hexadecimal digits: not to be guessed, and safe as a file name on any system. */
const FORM = /^[0-9a-f]{32}$/;

export function newUploadId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/** Whether `text` has the form of our ids. Anything else is unknown without looking. */
export function isUploadId(text: string): boolean {
  return FORM.test(text);
}

/** What a request's address names: the place where uploads are created, one upload, or nothing of ours. */
export type UploadRoute =
  | { readonly kind: "collection" }
  | { readonly kind: "upload"; readonly id: string }
  | { readonly kind: "none" };

/**
 * Reads the path of `url` as it stands: percent signs are not decoded, so an encoded separator, dot or NUL is never of our form. `basePath`
 * ends in a slash; the collection is found with and without it.
 */
export function uploadRoute(url: string, basePath: string): UploadRoute {
  const { pathname } = new URL(url);
  if (pathname === basePath || `${pathname}/` === basePath) return { kind: "collection" };
  if (!pathname.startsWith(basePath)) return { kind: "none" };
  const id = pathname.slice(basePath.length);
  return isUploadId(id) ? { kind: "upload", id } : { kind: "none" };
}
