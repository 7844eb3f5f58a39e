import { openDatabase, type PrismaClient } from '@portcullis/database';
import { freshDatabase, type FreshDatabase } from '@portcullis/testing';
import { afterAll, beforeAll } from 'vitest';

/** An empty database that all tests of a file share, from before the first on. */
export function useDatabase(): Pick<FreshDatabase, 'url'> & { readonly database: PrismaClient } {
  let own: FreshDatabase;
  let database: PrismaClient;
  beforeAll(async () => {
    own = await freshDatabase();
    database = openDatabase(own.url);
  });
  afterAll(async () => {
    await database.$disconnect();
    await own.drop();
  });
  return {
    get url() {
      return own.url;
    },
    get database() {
      return database;
    },
  };
}
