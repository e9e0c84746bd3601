// `tailrace/redis`: streams in Redis or Valkey, through a client of ioredis or node-redis.

export { redisStore, type RedisStoreOptions } from "./log/redis.ts";
export type { IoredisClient, NodeRedisClient, RedisArgument, RedisClient } from "./log/redis-client.ts";
