// The anchors of headings, made as code hosts make them, so that links inside the documents work here and there.

/** Gives each heading of one document its anchor: `Last event id` is `last-event-id`, a second one `last-event-id-1`. */
export class HeadingAnchors {
  readonly #seen = new Map<string, number>();

  next(heading: string): string {
    const anchor = plainHeading(heading)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-");
    const count = this.#seen.get(anchor) ?? 0;
    this.#seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  }
}

/** The text of a heading without its marks. */
export function plainHeading(heading: string): string {
  return heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[`*]/g, "")
    .trim();
}
