import { RESERVED_SLUGS, Slug } from '@portcullis/contracts/names';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slugFromUrl } from './slug-from-url.js';

describe('slugFromUrl', () => {
  it('makes a slug that a server may have from every address', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.ipV4().map((ip) => `http://${ip}:80/`),
          fc.ipV6().map((ip) => `https://[${ip}]/x`),
        ),
        (url) => {
          const slug = slugFromUrl(url);
          expect(Slug.safeParse(slug).success).toBe(true);
          expect(RESERVED_SLUGS.has(slug)).toBe(false);
        },
      ),
    );
  });

  it.each([
    ['https://mcp.linear.app/mcp', 'linear'],
    ['https://api.githubcopilot.com/mcp/', 'githubcopilot'],
    ['http://127.0.0.1:3001/mcp', 'local-3001'],
    ['http://localhost/mcp', 'local-80'],
    ['http://files/mcp', 'files'],
    ['https://portcullis.dev/mcp', 'server'],
  ])('takes the telling part of %s', (url, slug) => {
    expect(slugFromUrl(url)).toBe(slug);
  });
});
