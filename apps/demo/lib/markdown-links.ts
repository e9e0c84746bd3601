// The addresses in Markdown: what one looks like, and which are shown as links.

export const BARE_ADDRESS: RegExp = /https?:\/\/[^\s<>"'`\]]{1,2000}/y;
export const ANGLE_ADDRESS: RegExp = /<(https?:\/\/[^\s<>]{1,2000})>/y;
export const LINK_TARGET: RegExp = /^\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)/;

/** `href` if it leads to http, https or a relative place, else undefined. */
export function safeHref(href: string): string | undefined {
  try {
    const { protocol } = new URL(href, "http://relative.invalid/");
    return protocol === "http:" || protocol === "https:" ? href : undefined;
  } catch {
    return undefined;
  }
}
