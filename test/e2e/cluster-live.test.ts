// What live.test.ts shows of live, on two instances with one Redis, behind nginx.

import { onTwoInstances } from "./demo.ts";

onTwoInstances("redis");
await import("./live.test.ts");
