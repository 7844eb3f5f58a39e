import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** From the root of the workspace. */
  readonly path: string;
  readonly isTest: boolean;
  readonly text: string;
  readonly imports: readonly string[];
  readonly program: SyntaxNode;
}

export interface Project {
  readonly name: string;
  readonly folder: string;
  readonly isApp: boolean;
  readonly manifest: Manifest;
  readonly files: readonly SourceFile[];
}

export interface Manifest {
  readonly name: string;
  readonly exports?: Record<string, unknown>;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

export interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

export const readJson = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), 'utf8')) as T;

/** Every folder and file below these, from the root; what is built, generated or installed is left out. */
export function listing(...folders: string[]): string[] {
  const skipped = new Set(['node_modules', 'dist', 'generated', 'coverage']);
  return folders.flatMap((folder) => {
    if (!existsSync(join(root, folder))) return [];
    return readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => !skipped.has(entry.name) && !entry.name.startsWith('.'))
      .flatMap((entry) => {
        const path = join(folder, entry.name);
        return entry.isDirectory() ? [path, ...listing(path)] : [path];
      });
  });
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const { program, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const named = module.staticExports.flatMap(({ entries }) => entries.flatMap((entry) => entry.moduleRequest?.value ?? []));
  const dynamic = module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => literal(text.slice(start, end)));
  const imports = [...module.staticImports.map((one) => one.moduleRequest.value), ...named, ...dynamic];
  return { path, isTest: isTestFile(path), text, imports: [...new Set(imports)], program: program as unknown as SyntaxNode };
}

/** Tests, and what the tests of one project share. */
export const isTestFile = (path: string): boolean => path.endsWith('.test.ts') || path.includes('/src/testing/');

/** A computed specifier names no package that could be checked. */
const literal = (specifier: string): string[] => /^(['"])([^'"]+)\1$/.exec(specifier)?.[2]?.split('\n') ?? [];

export const projects: readonly Project[] = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(root, group))
    .filter((name) => existsSync(join(root, group, name, 'package.json')))
    .map((name): Project => {
      const folder = join(group, name);
      const sources = listing(join(folder, 'src')).filter((path) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'));
      return { name, folder, isApp: group === 'apps', manifest: readJson(join(folder, 'package.json')), files: sources.map(readSource) };
    }),
);

/** The workspace file that a relative import names, from the root. */
export const resolveRelative = (from: string, specifier: string): string =>
  relative(root, join(root, dirname(from), specifier)).replace(/\.js$/, '.ts');

export const stem = (path: string): string => basename(path).replace(/\..*$/, '');

/** Every node of a syntax tree, in order of appearance. */
export function* walk(node: unknown): Generator<SyntaxNode> {
  if (Array.isArray(node)) for (const one of node) yield* walk(one);
  else if (typeof node === 'object' && node !== null) {
    if ('type' in node) yield node as SyntaxNode;
    for (const value of Object.values(node)) yield* walk(value);
  }
}
