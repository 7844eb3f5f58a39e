import { expect, test } from 'vitest';
import { listing, projects, resolveRelative, root, stem } from './workspace.js';

const files = projects.flatMap((project) => project.files);
const everything = listing('apps', 'packages', 'test', 'scripts', 'tools', 'docs', 'prisma', 'deploy');
const code = everything.filter((path) => /\.(ts|tsx|mjs)$/.test(path));

test('no file or folder is named for having no name', () => {
  expect(everything.filter((path) => /^(utils?|helpers?|common|shared|types)$/.test(stem(path)))).toEqual([]);
});

test('files are named in kebab-case', () => {
  expect(code.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem(path)))).toEqual([]);
});

test('a file holds one thing: 250 lines, 400 for a test', () => {
  const long = files.filter((file) => file.text.trimEnd().split('\n').length > (file.isTest ? 400 : 250));
  expect(long.map((file) => file.path)).toEqual([]);
});

test('no type is named by a prefix or a suffix that says nothing', () => {
  const empty = /^export (?:declare |abstract |default )*(?:class|interface|type|enum) (?:I[A-Z][a-z]\w*|\w*(?:Manager|Impl|Helper|Utils?))\b/gm;
  expect(files.flatMap((file) => [...file.text.matchAll(empty)].map((match) => `${file.path}: ${match[0]}`))).toEqual([]);
});

test('the door of a package lists its names one by one', () => {
  const doors = files.filter((file) => /^packages\/[^/]+\/src\/index\.ts$/.test(file.path));
  expect(doors.filter((file) => /^export \* from/m.test(file.text)).map((file) => file.path)).toEqual([]);
});

test('no file names the place of this checkout', () => {
  const place = root.replace(/\/$/, '');
  expect(files.filter((file) => file.text.includes(place)).map((file) => file.path)).toEqual([]);
});

test('no file imports itself, by whatever way round', () => {
  const edges = new Map(
    files.map((file) => [file.path, file.imports.filter((one) => one.startsWith('.')).map((one) => resolveRelative(file.path, one))]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) cycles.push([...trail.slice(seenAt), path].join(' → '));
    if (seenAt >= 0 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  expect(cycles).toEqual([]);
});
