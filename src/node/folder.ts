// A folder of files as replies: nothing outside it, nothing hidden, whatever the path says and wherever links lead.

import { fstatSync } from "node:fs";
import { join, relative } from "node:path";
import { isTailraceError } from "../errors.ts";
import { acceptedEncodings, type Encoding } from "../http/precompressed.ts";
import { problem } from "../http/problem.ts";
import type { FileOptions, FileVariant } from "../reply/file-options.ts";
import { file } from "../reply/file.ts";
import { closeNow, type DiskFile, notFound, openDescriptor, sourceOf } from "./disk-file.ts";
import { DEFAULT_MAX_ENTRIES, listFolder } from "./folder-list.ts";
import { realPathOf } from "./real-path.ts";
import { knownRoot, resolveRoot } from "./real-root.ts";
import { isInside, safeSegments } from "./safe-segments.ts";

/** Options of {@link folder}; those of `file` hold for each file. */
export interface FolderOptions extends Omit<FileOptions, "name" | "etag" | "lastModifiedMs" | "variants" | "offload"> {
  /** Whether names that begin with a dot are served. Default false. */
  readonly dotfiles?: boolean | undefined;
  /** Whether a folder is answered with its files as JSON. Default false: 404. */
  readonly listing?: boolean | undefined;
  /** How many entries a listing looks at. Default 10,000. */
  readonly maxEntries?: number | undefined;
  /** Encodings whose ready copies lie beside a file, as `app.js.br` beside `app.js`; the most wanted first. Default none. */
  readonly precompressed?: readonly Encoding[] | undefined;
}

const EXTENSIONS: Readonly<Record<Encoding, string>> = { br: ".br", zstd: ".zst", gzip: ".gz" };

/** What was opened inside the root. */
interface Opened {
  readonly fd: number;
  /** Its true path. */
  readonly path: string;
  readonly realRoot: string;
}

/**
 * Replies with the file at `path` below `root`. Whatever may not be served gets the same 404 as what is not there: a path
 * that leaves the root, also by a link; hidden names; names with separators, colons, control characters, trailing dots or
 * spaces, and those of Windows devices.
 *
 * @param path decoded once: the segments as Next.js gives them, or one string with `/` between them
 */
export async function folder(
  request: Request,
  root: string,
  path: string | readonly string[],
  options: FolderOptions = {},
): Promise<Response> {
  try {
    return await answer(request, root, path, options);
  } catch (error) {
    if (isTailraceError(error)) return problem(error);
    throw error;
  }
}

async function answer(
  request: Request,
  root: string,
  wanted: string | readonly string[],
  options: FolderOptions,
): Promise<Response> {
  const { dotfiles = false, listing = false, maxEntries = DEFAULT_MAX_ENTRIES, precompressed, ...rest } = options;
  const segments = safeSegments(wanted, dotfiles);
  if (segments === undefined || (segments.length === 0 && !listing)) throw notFound();
  const path = segments.join("/");
  const opened = await openInside(root, path, dotfiles);
  if (fstatSync(opened.fd).isDirectory()) {
    if (listing) return await listFolder(opened, dotfiles, maxEntries);
    closeNow(opened.fd);
    throw notFound();
  }
  const source = sourceOf(opened.fd, segments.at(-1) ?? "", undefined);
  if (precompressed === undefined) return file(request, source, rest);
  try {
    const variants = await siblings(request, source, root, path, dotfiles, precompressed);
    return file(request, source, { ...rest, variants });
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Opens first and looks then where it led, so that nothing can be swapped in between. */
async function openInside(root: string, path: string, dotfiles: boolean): Promise<Opened> {
  const name = join(root, path);
  const fd = await openDescriptor(name);
  try {
    const real = await realPathOf(fd, name);
    const known = knownRoot(root);
    if (known !== undefined && isInside(relative(known, real), dotfiles)) return { fd, path: real, realRoot: known };
    // A deploy may have pointed the root's name to another folder.
    const realRoot = await resolveRoot(root);
    if (!isInside(relative(realRoot, real), dotfiles)) throw notFound();
    return { fd, path: real, realRoot };
  } catch (error) {
    closeNow(fd);
    if (isTailraceError(error)) throw error;
    throw notFound(error); // gone between opening and looking
  }
}

/** The ready copies that this request takes and that are not older than the file. */
async function siblings(
  request: Request,
  source: DiskFile,
  root: string,
  path: string,
  dotfiles: boolean,
  precompressed: readonly Encoding[],
): Promise<readonly FileVariant[]> {
  for (const encoding of acceptedEncodings(request.headers.get("accept-encoding"), precompressed)) {
    try {
      const { fd } = await openInside(root, path + EXTENSIONS[encoding], dotfiles);
      const variant = sourceOf(fd, source.name, source.type);
      if (variant.lastModifiedMs >= source.lastModifiedMs) return [{ encoding, source: variant }];
      variant.close();
    } catch (error) {
      if (!isTailraceError(error, "not_found")) throw error;
    }
  }
  return []; // still a choice that was made: the reply says `vary`
}
