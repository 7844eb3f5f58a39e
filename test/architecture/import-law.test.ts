import { isBuiltin } from 'node:module';
import { describe, expect, test } from 'vitest';
import { isTestFile, type Manifest, type Project, projects, readJson, resolveRelative, type SourceFile } from './workspace.js';

type Level = 'contract' | 'core' | 'adapter' | 'test' | 'app';

// app → adapter → core → contract, and never sideways. A new package is put here, or the build fails.
const levels: Record<string, Level> = {
  contracts: 'contract',
  policy: 'core',
  mcp: 'core',
  snapshot: 'adapter',
  audit: 'adapter',
  secrets: 'adapter',
  egress: 'adapter',
  database: 'adapter',
  boot: 'adapter',
  'api-client': 'adapter',
  'local-services': 'adapter',
  testing: 'test',
};

const mayImport: Record<Level, readonly Level[]> = {
  contract: [],
  core: ['contract'],
  adapter: ['core', 'contract'],
  test: ['adapter', 'core', 'contract'],
  app: ['adapter', 'core', 'contract'],
};

// Walls that the levels alone do not give: who may reach the database, and who speaks REST only.
const databaseUsers = ['control-plane', 'audit-worker', 'testing'];
const restOnly: Record<string, readonly string[]> = {
  // `audit` and `secrets` for proofs of the trail, which are verified without the system or not at all.
  cli: ['contracts', 'policy', 'api-client', 'local-services', 'audit', 'secrets'],
  console: ['contracts', 'api-client'],
};

const scope = '@portcullis/';
const levelOf = (project: Project): Level | undefined => (project.isApp ? 'app' : levels[project.name]);
const own = (specifier: string): string | undefined => (specifier.startsWith(scope) ? specifier.slice(scope.length).split('/')[0] : undefined);
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const rootManifest = readJson<Manifest>('package.json');

function mayName(project: Project, file: SourceFile, name: string): boolean {
  const { dependencies, optionalDependencies, devDependencies } = project.manifest;
  const declared = { ...dependencies, ...optionalDependencies, ...(file.isTest ? { ...devDependencies, ...rootManifest.devDependencies } : {}) };
  return name in declared || name === project.manifest.name || (file.isTest && name === `${scope}testing`);
}

const faults = (check: (project: Project, file: SourceFile, specifier: string) => boolean): string[] =>
  projects.flatMap((project) =>
    project.files.flatMap((file) =>
      file.imports.filter((specifier) => check(project, file, specifier)).map((specifier) => `${file.path} imports ${specifier}`),
    ),
  );

describe('imports point one way: app → adapter → core → contract', () => {
  test('every package has a level', () => {
    expect(projects.filter((project) => !levelOf(project)).map((project) => project.folder)).toEqual([]);
  });

  test('nothing imports upward or sideways', () => {
    const wrong = faults((project, file, specifier) => {
      const target = own(specifier);
      if (target === undefined || target === project.name) return false;
      const level = levels[target];
      if (file.isTest && level === 'test') return false;
      return level === undefined || !mayImport[levelOf(project) ?? 'contract'].includes(level);
    });
    expect(wrong).toEqual([]);
  });

  test('the database belongs to the control plane and the audit worker', () => {
    const wrong = faults((project, _file, specifier) => own(specifier) === 'database' && !['database', ...databaseUsers].includes(project.name));
    expect(wrong).toEqual([]);
  });

  test('console and cli reach the system through the REST API only', () => {
    const wrong = faults((project, file, specifier) => {
      const target = own(specifier);
      return !file.isTest && target !== undefined && restOnly[project.name]?.includes(target) === false;
    });
    expect(wrong).toEqual([]);
  });
});

describe('a project takes only what it declares', () => {
  test('every imported package is declared', () => {
    const wrong = faults((project, file, specifier) => {
      if (specifier.startsWith('.') || isBuiltin(specifier)) return false;
      return !mayName(project, file, packageOf(specifier));
    });
    expect(wrong).toEqual([]);
  });

  test('built-in modules are named as such', () => {
    expect(faults((_project, _file, specifier) => isBuiltin(specifier) && !specifier.startsWith('node:'))).toEqual([]);
  });

  test('no relative import leaves its project', () => {
    const wrong = faults(
      (project, file, specifier) => specifier.startsWith('.') && !resolveRelative(file.path, specifier).startsWith(`${project.folder}/`),
    );
    expect(wrong).toEqual([]);
  });

  test('what runs in production imports nothing that is there for tests', () => {
    const wrong = faults(
      (_project, file, specifier) => !file.isTest && specifier.startsWith('.') && isTestFile(resolveRelative(file.path, specifier)),
    );
    expect(wrong).toEqual([]);
  });

  test('another project is entered by a door it has', () => {
    const wrong = faults((_project, _file, specifier) => {
      const target = projects.find((project) => project.name === own(specifier));
      if (!target) return false;
      const door = `.${specifier.slice(scope.length + target.name.length)}`;
      return !Object.keys(target.manifest.exports ?? {}).some((name) => name === door || (name.endsWith('*') && door.startsWith(name.slice(0, -1))));
    });
    expect(wrong).toEqual([]);
  });

  test('the compiler knows of every project that is declared', () => {
    const missing = projects.flatMap((project) => {
      const { references = [] } = readJson<{ references?: { path: string }[] }>(`${project.folder}/tsconfig.json`);
      const known = references.map(({ path }) => path.split('/').at(-1));
      const declared = Object.keys(project.manifest.dependencies ?? {}).flatMap((name) => own(name) ?? []);
      return declared.filter((name) => !known.includes(name)).map((name) => `${project.folder}/tsconfig.json lacks ${name}`);
    });
    expect(missing).toEqual([]);
  });
});
