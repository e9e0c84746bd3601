// Runs once per server process, before its first request.

export async function register(): Promise<void> {
  // Tested in the positive, so that the builds of other runtimes leave the import out.
  if (process.env["NEXT_RUNTIME"] === "nodejs") {
    const { prepareServer } = await import("./lib/server.ts");
    await prepareServer();
  }
}
