// What chat.test.ts shows of chat, on two instances with one Redis, behind nginx.

import { onTwoInstances } from "./demo.ts";

onTwoInstances("redis");
await import("./chat.test.ts");
