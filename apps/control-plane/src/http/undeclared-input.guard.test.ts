import type { ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { expect, test } from 'vitest';
import { ProblemError } from './problem.js';
import { UndeclaredInputGuard } from './undeclared-input.guard.js';

class Routes {
  create(this: void): void {}
}

const admits = (declared: readonly string[], request: object): boolean => {
  Reflect.defineMetadata(ROUTE_ARGS_METADATA, Object.fromEntries(declared.map((key) => [key, {}])), Routes, 'create');
  const context = { getClass: () => Routes, getHandler: () => Routes.prototype.create, switchToHttp: () => ({ getRequest: () => request }) };
  return new UndeclaredInputGuard().canActivate(context as unknown as ExecutionContext);
};

test('A96: what a route declares is taken, and all else refused, whatever a decorator of our own happens to be named', () => {
  const [query, body] = [{ query: { dryRun: 'true' } }, { body: { slug: 'a' } }];
  expect(admits(['4:0'], query)).toBe(true);
  expect(admits(['3:0'], body)).toBe(true);
  for (const declared of [[], ['3:0'], ['4xQ__customRouteArgs__:0']]) expect(() => admits(declared, query), declared[0]).toThrow(ProblemError);
  for (const declared of [[], ['4:0'], ['3xQ__customRouteArgs__:0']]) expect(() => admits(declared, body), declared[0]).toThrow(ProblemError);
});
