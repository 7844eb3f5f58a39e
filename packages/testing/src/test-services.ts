/** What the global setup of the test run started; every test file finds it in its environment. */
export interface TestServices {
  /** A Postgres whose role may create databases. */
  readonly postgresUrl: string;
  /** A database with all migrations applied and nothing else, to copy from. Nobody connects to it. */
  readonly templateDatabase: string;
}

// Variables, not vitest's own channel: helper processes that a test starts inherit them too.
const POSTGRES_URL = 'PORTCULLIS_TEST_POSTGRES_URL';
const TEMPLATE = 'PORTCULLIS_TEST_TEMPLATE';

/** For the global setup: makes the services known to the test files it precedes. */
export function provideTestServices(services: TestServices): void {
  process.env[POSTGRES_URL] = services.postgresUrl;
  process.env[TEMPLATE] = services.templateDatabase;
}

/** The services of this test run. Throws where none were started, which is so in a test that promises to need none. */
export function testServices(): TestServices {
  const postgresUrl = process.env[POSTGRES_URL];
  const templateDatabase = process.env[TEMPLATE];
  if (!postgresUrl || !templateDatabase)
    throw new Error('No test services here. A test that needs them is named *.integration.test.ts or *.e2e.test.ts.');
  return { postgresUrl, templateDatabase };
}

/** Whether this is the long lane (`npm run verify`), where a test may take its time: more runs, more faults, more load. */
export const isLongLane = process.env['PORTCULLIS_LONG'] === '1';
