// The header of every page: the name, and where one can go.

"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactElement, useEffect, useRef } from "react";

const PAGES = [
  { href: "/chat", name: "Chat" },
  { href: "/live", name: "Live" },
  { href: "/files", name: "Files" },
  { href: "/upload", name: "Upload" },
  { href: "/transform", name: "Transform" },
  { href: "/jobs", name: "Jobs" },
  { href: "/export", name: "Export" },
  { href: "/docs", name: "Docs" },
] as const;

export function SiteHeader(): ReactElement {
  const pathname = usePathname();
  const here = PAGES.find(({ href }) => isWithin(pathname, href))?.href;
  const nav = useRef<HTMLElement>(null);
  // On a phone the links are wider than the screen: the page's own one comes into the middle.
  useEffect(() => {
    const current = nav.current?.querySelector(`[href="${here}"]`);
    if (!nav.current || !current) return;
    const [outer, inner] = [nav.current.getBoundingClientRect(), current.getBoundingClientRect()];
    nav.current.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  }, [here]);
  return (
    <header className="site-header">
      <Link href="/" className="brand" aria-current={pathname === "/" ? "page" : undefined}>
        <svg width="22" height="22" viewBox="0 0 22 22" fill="none" stroke="currentColor" strokeWidth="2.4" aria-hidden>
          <path d="M2 5h6M2 11h11M2 17h18" strokeLinecap="round" />
          <path d="M13 5h7M18 11h2" strokeLinecap="round" strokeOpacity=".4" />
        </svg>
        <span className="brand-name">Tailrace</span>
      </Link>
      <nav aria-label="Pages" ref={nav}>
        <ul className="site-nav">
          {PAGES.map(({ href, name }) => (
            <li key={href}>
              <Link href={href} aria-current={href === here ? "page" : undefined}>
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

function isWithin(pathname: string, href: string): boolean {
  return pathname === href || pathname.startsWith(`${href}/`);
}
