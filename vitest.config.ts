import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@portcullis/source'] },
  ssr: { resolve: { conditions: ['@portcullis/source'] } },
  test: { include: ['test/**/*.test.ts'], testTimeout: 20_000 },
});
