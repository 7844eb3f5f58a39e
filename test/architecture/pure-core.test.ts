import { expect, test } from 'vitest';
import { projects, type SyntaxNode, walk } from './workspace.js';

const pure = projects.filter((project) => ['policy', 'mcp'].includes(project.name));
const sources = pure.flatMap((project) => project.files).filter((file) => !file.isTest);

// Time, chance, the process and everything that waits.
const platform = ['process', 'performance', 'crypto', 'fetch', 'console', 'globalThis', 'global', 'require', 'Buffer'];
const waiting = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'Promise', 'WebSocket', 'Worker', 'Atomics'];
const outside = new Set(platform.concat(waiting));

const isName = (node: unknown, name: string): boolean => {
  const { type, name: found } = (node ?? {}) as SyntaxNode;
  return type === 'Identifier' && found === name;
};

const nameOf = (node: unknown): string => String((node as SyntaxNode | undefined)?.['name']);

/** What in this part of the syntax makes an answer depend on more than its arguments. */
function impurity(node: SyntaxNode): string | undefined {
  if (node['async'] === true) return 'async';
  if (node.type === 'AwaitExpression' || node['await'] === true) return 'await';
  if (node.type === 'NewExpression' && isName(node['callee'], 'Date') && (node['arguments'] as unknown[]).length === 0) return 'new Date()';
  if (node.type === 'ImportExpression') return 'import()';
  if (node.type !== 'MemberExpression') return undefined;
  const { object, property } = node;
  if (isName(object, 'Date') && isName(property, 'now')) return 'Date.now';
  if (isName(object, 'Math') && isName(property, 'random')) return 'Math.random';
  return outside.has(nameOf(object)) ? nameOf(object) : undefined;
}

/** Calls of a global by its bare name; a parameter or a property may be called the same. */
const calls = (node: SyntaxNode): string | undefined => {
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return undefined;
  const name = nameOf(node['callee']);
  return outside.has(name) ? `${name}()` : undefined;
};

test('policy and mcp exist to be checked', () => {
  expect(pure.map((project) => project.name).toSorted()).toEqual(['mcp', 'policy']);
  expect(sources.length).toBeGreaterThan(1);
});

test('policy and mcp import nothing of the platform', () => {
  expect(sources.flatMap((file) => file.imports.filter((one) => one.startsWith('node:')).map((one) => `${file.path} imports ${one}`))).toEqual([]);
});

test('policy and mcp answer from their arguments alone: no clock, no chance, no process, no waiting', () => {
  const found = sources.flatMap((file) =>
    [...walk(file.program)].flatMap((node) => impurity(node) ?? calls(node) ?? []).map((what) => `${file.path}: ${what}`),
  );
  expect(found).toEqual([]);
});
