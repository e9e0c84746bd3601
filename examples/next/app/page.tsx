"use client";

import type { ReactElement } from "react";
import { useStream } from "tailrace/react";

const JOB = "/api/jobs/42";

export default function Page(): ReactElement {
  const { last, status, end, stop, reconnect } = useStream<{ done: number }>(JOB);
  const start = async (): Promise<void> => {
    await fetch(JOB, { method: "POST" });
    reconnect();
  };
  return (
    <main>
      <button onClick={() => void start()}>Start</button> <button onClick={() => void stop()}>Stop</button>
      <progress max={100} value={last?.data.done ?? 0} /> {end?.reason ?? status}
    </main>
  );
}
