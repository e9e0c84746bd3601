// What transfers.test.ts shows of files and uploads, on two instances with one Redis, behind nginx.

import { onTwoInstances } from "./demo.ts";

onTwoInstances("redis");
await import("./transfers.test.ts");
