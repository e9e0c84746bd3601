import Link from "next/link";
import { Suspense, type ReactNode } from "react";
import { Commands } from "../components/commands.tsx";
import { FlowDiagram } from "../components/flow-diagram.tsx";
import { WhereStreamsAre } from "../components/where-streams-are.tsx";

const CARDS = [
  {
    href: "/chat",
    name: "Chat",
    says: "An answer that goes on being written while you reload, leave, or open it in a second tab.",
  },
  {
    href: "/live",
    name: "Live",
    says: "Notifications without a gap across restarts, and the load of this server, once a second.",
  },
  {
    href: "/files",
    name: "Files",
    says: "Downloads that pause, and go on with what is missing; a video that fetches only what you look at.",
  },
  {
    href: "/upload",
    name: "Upload",
    says: "Files that go on after a cut, a reload or a restart of the server, with every other tab watching.",
  },
  {
    href: "/transform",
    name: "Transform",
    says: "A text that comes back changed while it is still being sent, on the server or in this browser.",
  },
  {
    href: "/jobs",
    name: "Jobs",
    says: "Long work with a bar and a log, which outlives the tab that started it, and the server.",
  },
  {
    href: "/export",
    name: "Export",
    says: "A million rows from the database to your disk, or into a file that is finished whoever stays.",
  },
  {
    href: "/docs",
    name: "Docs",
    says: "The project's own documents. Without a model, the chat answers out of them.",
  },
] as const;

const TRIES = [
  {
    name: "Reload in the middle",
    says: "Send a message in the chat and reload while the answer is written. It is all there, and still growing.",
  },
  {
    name: "Stop from a second tab",
    says: "Open the chat's link in another tab and press Stop there. Both tabs end, and keep what was written.",
  },
  {
    name: "Kill the server",
    says: "End the server in the middle of an answer and start it again. The chat says it was interrupted, and goes on.",
  },
] as const;

export default function Home(): ReactNode {
  return (
    <main className="page">
      <div className="hero">
        <div>
          <h1>A stream should outlive the reader who looks away</h1>
          <p className="lead">
            Tailrace streams HTTP responses that survive. What a source gives is written to a log once, and any number
            of readers follow that log, each from its own place. This is its demo; everything here runs on this server{" "}
            <Suspense fallback="and its store.">
              <WhereStreamsAre />
            </Suspense>
          </p>
        </div>
        <FlowDiagram />
      </div>

      <section className="section" aria-labelledby="pages">
        <h2 id="pages">What is here</h2>
        <ul className="cards">
          {CARDS.map(({ href, name, says }) => (
            <li key={href} className="card">
              <h3>
                <Link href={href}>{name}</Link>
              </h3>
              <p>{says}</p>
            </li>
          ))}
        </ul>
      </section>

      <section className="section" aria-labelledby="tries">
        <h2 id="tries">Three things to try</h2>
        <ol className="tries">
          {TRIES.map(({ name, says }) => (
            <li key={name}>
              <h3>{name}</h3>
              <p>{says}</p>
            </li>
          ))}
        </ol>
      </section>

      <section className="section" aria-labelledby="terminal">
        <h2 id="terminal">From a terminal</h2>
        <Commands />
      </section>
    </main>
  );
}
