// What jobs.test.ts shows of jobs, on two instances with one Redis, behind nginx.

import { onTwoInstances } from "./demo.ts";

onTwoInstances("redis");
await import("./jobs.test.ts");
