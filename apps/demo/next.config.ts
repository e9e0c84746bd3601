// How Next.js builds and serves the demo. No segment exports stand in the routes: with Cache Components `dynamic`,
// `runtime` and `revalidate` are build errors, and both modes must build.

import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

/** The package is linked as node_modules/tailrace -> .., so everything resolves from the repository's root. */
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the same app in the other caching mode, into a folder of its own, so that a test can have both. */
const cacheComponents = process.env["TAILRACE_CACHE_COMPONENTS"] === "1";

const config: NextConfig = {
  turbopack: { root },
  outputFileTracingRoot: root,
  cacheComponents,
  distDir: cacheComponents ? ".next-cc" : ".next",
  poweredByHeader: false,
  // tus clients are given `/api/tus/`, and do not follow a redirect of a POST.
  skipTrailingSlashRedirect: true,
};

export default config;
