// The chat on node:http: one process, two that share a SQLite file, and two that share a Redis.

import { HOSTS } from "./hosts.ts";
import { chatMatrix } from "./matrix.ts";

for (const [name, start] of HOSTS) chatMatrix(name, start, { silences: ["stall"] });
