// Begins when somebody looks and leaves when nobody does any more, with React's StrictMode in mind.

/**
 * Makes an `attach`. The first attach begins, in a microtask: StrictMode mounts, unmounts and mounts again within one
 * turn, and that must make one request, not two. `begin` gets a signal that aborts just before `leave`.
 */
export function createAttachment(begin: (life: AbortSignal) => void, leave: () => void): () => () => void {
  let count = 0;
  let life: AbortController | undefined;
  return () => {
    count += 1;
    queueMicrotask(() => {
      if (count === 0 || life !== undefined) return;
      life = new AbortController();
      begin(life.signal);
    });
    let attached = true;
    return () => {
      if (!attached) return;
      attached = false;
      count -= 1;
      if (count > 0 || life === undefined) return;
      life.abort();
      life = undefined;
      leave();
    };
  };
}
