// What an address answers, asked for when the page comes, when it is looked at again, and as often as it is wished.

"use client";

import { useCallback, useEffect, useRef, useState } from "react";

export interface Polled<T> {
  /** The last good answer. */
  readonly value: T | null;
  /** Why the last question was not answered. */
  readonly problem: string | null;
  /** Asks now. */
  readonly refresh: () => void;
}

type Answer<T> = Pick<Polled<T>, "value" | "problem">;

/** `everyMs`: the time between an answer and the next question, while the page is seen. Null: no more questions. */
export function usePolled<T>(url: string, everyMs: number | null): Polled<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ value: null, problem: null });
  const look = useRef<() => void>(() => undefined);
  useEffect(() => {
    const life = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;
    const tick = async (): Promise<void> => {
      if (isAsking || document.hidden) return;
      isAsking = true;
      clearTimeout(timer);
      const next = await ask<T>(url, life.signal);
      isAsking = false;
      if (life.signal.aborted) return;
      setAnswer(({ value }) => ({ value: next.value ?? value, problem: next.problem }));
      if (everyMs !== null) timer = setTimeout(() => void tick(), everyMs);
    };
    look.current = () => void tick();
    document.addEventListener("visibilitychange", look.current, { signal: life.signal });
    void tick();
    return () => {
      life.abort();
      clearTimeout(timer);
    };
  }, [url, everyMs]);
  const refresh = useCallback(() => look.current(), []);
  return { ...answer, refresh };
}

async function ask<T>(url: string, signal: AbortSignal): Promise<Answer<T>> {
  try {
    const response = await fetch(url, { headers: { accept: "application/json" }, cache: "no-store", signal });
    const body = (await response.json().catch(() => null)) as unknown;
    if (response.ok && body !== null) return { value: body as T, problem: null };
    const { detail } = (body ?? {}) as { readonly detail?: unknown };
    return { value: null, problem: typeof detail === "string" ? detail : `The server answered ${response.status}.` };
  } catch {
    return { value: null, problem: "The server could not be reached." };
  }
}
