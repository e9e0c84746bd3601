// Every setting of the crash test.

import { redisFailover } from "./redis-failover.ts";
import { redisAlwaysKill, redisEverysecKill } from "./redis-kill.ts";
import { redisAlwaysPower, redisEverysecPower } from "./redis-power.ts";
import type { Setting } from "./setting.ts";
import { sqliteKill } from "./sqlite-kill.ts";
import { sqliteDiskPower, sqliteProcessPower } from "./sqlite-power.ts";

export const SETTINGS: readonly Setting[] = [
  sqliteKill,
  sqliteProcessPower,
  sqliteDiskPower,
  redisAlwaysKill,
  redisEverysecKill,
  redisAlwaysPower,
  redisEverysecPower,
  redisFailover,
];
