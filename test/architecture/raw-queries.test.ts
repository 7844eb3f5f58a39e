import { expect, test } from 'vitest';
import { projects, type SyntaxNode, walk } from './workspace.js';

const sources = projects.flatMap((project) => project.files).filter((file) => !file.isTest);

/** SQL whose text is put together here from what the code itself says: names of columns, a number, a date. A file that is added has to be looked at. */
const LOOKED_AT = new Set([
  'apps/control-plane/src/alerts/find-in-usage.ts',
  'apps/control-plane/src/audit-proof/retention.repository.ts',
  'apps/control-plane/src/audit/audit-filter.ts',
  'apps/control-plane/src/database/identify-all.ts',
  'apps/control-plane/src/database/write-rows.ts',
  'apps/control-plane/src/revisions/policy-entities.ts',
]);

const called = ({ type, callee }: SyntaxNode): string => {
  if (type !== 'CallExpression') return '';
  const { property, object } = callee as { property?: { name?: string }; object?: { name?: string } };
  return object?.name === 'Prisma' ? `Prisma.${property?.name ?? ''}` : (property?.name ?? '');
};

/** Whether a call hands SQL over that is no literal. */
function isPutTogether(node: SyntaxNode): boolean {
  if (!['$queryRawUnsafe', '$executeRawUnsafe', 'Prisma.raw'].includes(called(node))) return false;
  const [first] = node['arguments'] as SyntaxNode[];
  return first?.type !== 'Literal';
}

test('no value becomes part of the text of a query: values are bound, and text is put together where it was looked at', () => {
  const found = sources.filter((file) => [...walk(file.program)].some(isPutTogether)).map((file) => file.path);
  expect(found.filter((path) => !LOOKED_AT.has(path))).toEqual([]);
});
