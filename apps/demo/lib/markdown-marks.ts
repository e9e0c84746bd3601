// What stands inside a block of Markdown once its marks are read.

export type Inline =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "break" }
  | { readonly type: "strong" | "emphasis" | "deleted"; readonly children: readonly Inline[] }
  | { readonly type: "link"; readonly href: string; readonly children: readonly Inline[] }
  /** A link whose address has not come yet. */
  | { readonly type: "pending"; readonly children: readonly Inline[] };

export interface InlineOptions {
  /** True: more of the text may come, so code and bold that are still open are shown as such. @default false */
  readonly isGrowing?: boolean | undefined;
}
