import { describe, expect, test } from 'vitest';
import { type Manifest, projects, readJson } from './workspace.js';

/** One entry of the lock file. */
interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}
interface Root extends Manifest {
  readonly overrides: object;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const lock = readJson<{ readonly packages: Readonly<Record<string, Locked>> }>('package-lock.json');
const manifest = readJson<Root>('package.json');
const entries = Object.entries(lock.packages);
const isOurs = ([path]: [string, Locked]): boolean => !path.includes('node_modules/');
const links = entries.filter(([, { link }]) => link === true);
const foreign = entries.filter((entry) => !isOurs(entry) && entry[1].link !== true);
const exact = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const nameIn = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('the lock file', () => {
  test('holds every package by the SHA-512 of its content, so that whoever hands it over need not be trusted', () => {
    expect(foreign.length).toBeGreaterThan(100);
    expect(foreign.filter(([, { integrity = '' }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)).map(([path]) => path)).toEqual([]);
  });

  test('names an exact version of every package', () => {
    expect(foreign.filter(([, { version = '' }]) => !exact.test(version)).map(([path]) => path)).toEqual([]);
  });

  test('takes packages from the registry that npm is set to, and from nowhere else', () => {
    expect(foreign.flatMap(([path, { resolved }]) => (resolved === undefined ? [] : [`${path}: ${resolved}`]))).toEqual([]);
  });

  test('links to the folders of this workspace alone', () => {
    const folders = new Set(projects.map(({ folder }) => folder));
    expect(links.filter(([, { resolved = '' }]) => !folders.has(resolved)).map(([path]) => path)).toEqual([]);
    expect(links.length).toBe(folders.size);
  });

  test('has no package that asks for another by address instead of by name and version', () => {
    const byAddress = /:|\//;
    const asked = foreign.flatMap(([path, { dependencies = {} }]) =>
      Object.entries(dependencies).flatMap(([name, range]) =>
        byAddress.test(range.replace(/^npm:(?:@[\w.-]+\/)?[\w.-]+@/, '')) ? [`${path}: ${name} ${range}`] : [],
      ),
    );
    expect(asked).toEqual([]);
  });
});

test('every dependency is declared in one exact version', () => {
  const declared = [manifest, ...projects.map((project) => project.manifest)].flatMap(
    ({ name, dependencies = {}, optionalDependencies = {}, devDependencies = {} }) =>
      Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies }).map(([what, version]) => ({ name, what, version })),
  );
  expect(declared.filter(({ version }) => !exact.test(version))).toEqual([]);
});

test('a package whose installation runs a script is allowed to, or is not, by name', () => {
  const scripted = foreign.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => nameIn(path));
  expect(scripted.length).toBeGreaterThan(0);
  const named = new Set(Object.keys(manifest.allowScripts));
  expect(scripted.filter((name) => !named.has(name))).toEqual([]);
});
