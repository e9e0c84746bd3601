// What export.test.ts shows of exports, on two instances with one Redis, behind nginx.

import { onTwoInstances } from "./demo.ts";

onTwoInstances("redis");
await import("./export.test.ts");
