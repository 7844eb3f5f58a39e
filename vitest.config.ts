import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const everywhere = (ending: string) => ['packages', 'apps'].map((place) => `${place}/**/src/**/*${ending}`).concat(`test/**/*${ending}`);
const conditions = ['@portcullis/source'];
const never = ['**/node_modules/**', '**/dist/**'];
const integration = everywhere('.integration.test.ts');
const endToEnd = everywhere('.e2e.test.ts');
const onTheDemo = ['test/e2e/**/*.e2e.test.ts'];
const long = everywhere('.long.test.ts');
const isLong = process.env['PORTCULLIS_LONG'] === '1';
const properties = {
  propertySeed: Number(process.env['PORTCULLIS_SEED'] ?? 20_261_123),
  propertyTimes: Number(process.env['PORTCULLIS_RUNS'] ?? 1),
};
const services = { globalSetup: ['test/global-setup.ts'], testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  // Tests run from source, so they need no build. Each of these places is a resolver of its own: pages, test files, the global setup.
  resolve: { conditions, alias: { 'fast-check': fileURLToPath(new URL('test/fast-check.ts', import.meta.url)) } },
  ssr: { resolve: { conditions } },
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    // By default one core of two would stay idle.
    maxWorkers: 2,
    // Chance must not decide whether a commit is good. The long lane draws its seed, and runs more often what costs nothing but time.
    provide: properties,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: everywhere('.test.ts'),
          exclude: [...never, ...integration, ...endToEnd, ...long],
          testTimeout: 30_000,
          // Half of the time went into loading the same modules for each file anew; what these test keeps nothing in them.
          isolate: false,
          ...(isLong && { provide: { ...properties, propertyTimes: Number(process.env['PORTCULLIS_RUNS'] ?? 10) } }),
        },
      },
      { extends: true, test: { name: 'system', include: integration, exclude: [...never, ...long], ...services, isolate: false } },
      // Whole systems too, but each with one of its own: they wait much, so they run beside the tests above.
      {
        extends: true,
        test: { name: 'stacks', include: endToEnd, exclude: [...never, ...onTheDemo, ...long], testTimeout: 60_000, hookTimeout: 180_000 },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: onTheDemo,
          exclude: [...never, ...long],
          globalSetup: ['test/e2e/demo-stack-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          // One system in use by all files: one file at a time, when nothing else runs.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      // `npm run verify` only: soak, all faults, fuzz.
      ...(isLong ? [{ extends: true as const, test: { name: 'long', include: long, exclude: never, ...services, testTimeout: 1_800_000 } }] : []),
    ],
    coverage: {
      provider: 'v8',
      reportOnFailure: true,
      reporter: ['text-summary', 'html'],
      include: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/generated/**', 'packages/testing/**'],
    },
  },
});
