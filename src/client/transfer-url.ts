// Addresses that a server names are resolved against the one that was asked.

import { TailraceError } from "../errors.ts";

/** Where the page is; undefined outside of one. */
function here(): string | undefined {
  const { document, location } = globalThis as {
    readonly document?: { readonly baseURI: string };
    readonly location?: { readonly href: string };
  };
  return document?.baseURI ?? location?.href;
}

/**
 * The address as it is asked for. An injected `fetch` may know addresses of its own, so only without one an address that
 * cannot be resolved is refused, with `input_invalid`: otherwise it would look like a lost network for ever.
 */
export function transferUrl(url: string | URL, hasOwnFetch: boolean): string {
  const text = String(url);
  const base = here();
  if (URL.canParse(text, base)) return new URL(text, base).href;
  if (hasOwnFetch) return text;
  const message = `The address "${text}" is no URL here. Outside of a page it has to be absolute.`;
  throw new TailraceError("input_invalid", message, { details: { field: "url" } });
}

/** `reference` as seen from `base`, both of which may be relative where `fetch` is the caller's own. */
export function resolveReference(reference: string, base: string): string {
  if (URL.canParse(reference, base)) return new URL(reference, base).href;
  const stand = "http://relative.invalid";
  if (!URL.canParse(reference, stand + base)) return reference;
  const resolved = new URL(reference, stand + base).href;
  return resolved.startsWith(stand) ? resolved.slice(stand.length) : resolved;
}
