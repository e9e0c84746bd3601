export async function register(): Promise<void> {
  if (process.env["NEXT_RUNTIME"] === "nodejs") {
    const { endStreamsOnShutdown } = await import("tailrace/next");
    const { streams } = await import("./lib/streams.ts");
    endStreamsOnShutdown({ streams: [streams] });
  }
}
