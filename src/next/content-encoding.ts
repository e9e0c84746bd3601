// How the content coding of a reply gets past Next.js, which takes `content-encoding` away from what a route handler answers.

/** The content coding of a reply on its way through such a host. No reader sees it. */
export const ENCODING_HEADER = "tailrace-content-encoding";

interface ResponseLike {
  getHeader(name: string): unknown;
  setHeader(name: string, value: string): unknown;
  removeHeader(name: string): void;
}

/** Gives `content-encoding` back, as the head is being written. */
export function restoreEncoding(response: ResponseLike): void {
  const ours = response.getHeader(ENCODING_HEADER);
  if (typeof ours !== "string") return;
  const outer = response.getHeader("content-encoding");
  // RFC 9110 section 8.4: in the order in which they were applied.
  response.setHeader("content-encoding", typeof outer === "string" ? `${ours}, ${outer}` : ours);
  response.removeHeader(ENCODING_HEADER);
}
