/**
 * Session stores for `@auth0/nextjs-auth0` v4 by which a logout ends what it names. Each takes the object that the
 * database's own driver made; no driver is imported here.
 */
export {
  dynamoSessionStore,
  type DynamoDocument,
  type DynamoKey,
  type DynamoQuery,
  type DynamoStoreOptions,
  type DynamoTable,
} from './dynamodb.js';
export { mongoSessionStore, type MongoCollection, type MongoStoreOptions } from './mongodb.js';
export { postgresSchema, postgresSessionStore, type PostgresPool, type PostgresStoreOptions } from './postgres.js';
export { redisSessionStore, type RedisClient, type RedisStoreOptions } from './redis.js';
export { sqliteSessionStore, type SqliteDatabase, type SqliteStatement, type SqliteStoreOptions } from './sqlite.js';
export type { LogoutClaims, LogoutStore, SessionData, SessionStore, SessionStoreOptions } from './types.js';
