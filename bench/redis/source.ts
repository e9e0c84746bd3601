// What the runs of the Redis benchmark write: lines of 20 bytes that carry their number and the moment they were made at.

/** How a run writes after its first line, which only says that it is there. */
export interface Pace {
  /** Tokens per second, whether or not the last one has been taken; 0: each as soon as it is asked for. */
  readonly perSecond: number;
  /** How long, in milliseconds. */
  readonly ms: number;
  /** The most tokens of a run, so that the fast ones do not fill the memory. */
  readonly maxTokens: number;
}

/** Microseconds on the clock that all processes of one machine share. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** 20 bytes: the line's number, and a time (0 for the first line of a run, which is not measured). */
export function lineOf(number: number, atUs: number): string {
  return `${String(number).padStart(7, "0")}${String(atUs % 1e12).padStart(12, "0")}\n`;
}

export interface Line {
  readonly number: number;
  readonly atUs: number;
}

export function parseLine(line: string): Line {
  if (line.length !== 19) throw new Error(`Not a line of 20 bytes: ${JSON.stringify(line)}`);
  return { number: Number(line.slice(0, 7)), atUs: Number(line.slice(7)) };
}

/** A run: one line at once, and the others when `go` resolves. `onEnd` gets their number. */
export function sourceOf(go: Promise<void>, pace: Pace, onEnd: (count: number) => void): ReadableStream<string> {
  return pace.perSecond > 0 ? pacedSource(go, pace, onEnd) : fastSource(go, pace, onEnd);
}

/** As tokens come from a model: at their own pace, however slowly they are taken. */
function pacedSource(go: Promise<void>, { perSecond, ms }: Pace, onEnd: (count: number) => void) {
  return new ReadableStream<string>({
    async start(controller) {
      controller.enqueue(lineOf(0, 0));
      void go.then(() => {
        const stepMs = 1_000 / perSecond;
        const count = Math.max(1, Math.round(ms / stepMs));
        const startMs = performance.now() + Math.random() * stepMs; // not all runs at the same moment
        let number = 0;
        const next = (): void => {
          number++;
          controller.enqueue(lineOf(number, nowUs()));
          if (number < count) setTimeout(next, Math.max(0, startMs + number * stepMs - performance.now()));
          else {
            onEnd(number);
            controller.close();
          }
        };
        setTimeout(next, startMs - performance.now());
      });
    },
  });
}

function fastSource(go: Promise<void>, { ms, maxTokens }: Pace, onEnd: (count: number) => void) {
  let number = 0;
  let untilMs = 0;
  return new ReadableStream<string>({
    start(controller) {
      controller.enqueue(lineOf(0, 0));
    },
    async pull(controller) {
      if (number === 0) {
        await go;
        untilMs = performance.now() + ms;
      }
      if (number < maxTokens && performance.now() < untilMs) {
        number++;
        controller.enqueue(lineOf(number, nowUs()));
      } else {
        onEnd(number);
        controller.close();
      }
    },
  });
}
