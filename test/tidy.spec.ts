// The house rules that a compiler does not know: who may import whom, how large things may grow, and words that have no
// place where they stand. Architecture, section 3; conventions.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Above 300 lines a file is looked at again; this is the wall. */
const fileLinesMax = 350;
const testFileLinesMax = 600;
const functionLinesMax = 70;
/** A component is mostly markup. */
const componentLinesMax = 120;

interface Import {
  /** Relative to the project for its own files, else the package's name. */
  readonly target: string;
  readonly names: readonly string[];
}
interface SourceFile {
  /** Relative to the project, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

function namesOf(clause: ts.ImportClause | undefined): string[] {
  const bindings = clause?.namedBindings;
  const named =
    bindings && ts.isNamedImports(bindings) ? bindings.elements.map((one) => (one.propertyName ?? one.name).text) : [];
  return [...named, ...(bindings && ts.isNamespaceImport(bindings) ? ['*'] : []), ...(clause?.name ? ['default'] : [])];
}

function resolved(from: string, specifier: string): string {
  if (!specifier.startsWith('.'))
    return specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
  return join(dirname(from), specifier).replaceAll('\\', '/').replace(/\.js$/, '.ts');
}

/** Static and dynamic imports, re-exports, and types by `import('…')`. */
function importsOf(path: string, tree: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (node: ts.Node | undefined, names: readonly string[]) => {
    if (node && ts.isStringLiteral(node)) imports.push({ target: resolved(path, node.text), names });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, namesOf(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, ['*']);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], ['*']);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, ['*']);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return imports;
}

function read(folder: string): SourceFile[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => {
      const path = relative(root, join(root, folder, name)).replaceAll('\\', '/');
      const text = readFileSync(join(root, path), 'utf8');
      const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
      return { path, text, tree, imports: importsOf(path, tree) };
    });
}

const source = [...read('src'), ...read('projections')];
const tests = read('test');
const web = read('dashboards/web/src');

/** The first folder under `src`, or `projections`; of the files directly in `src`, their own path. */
function zoneOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  if (first !== 'src') return first;
  return second.endsWith('.ts') ? path : second;
}

interface Law {
  /** Zones, or beginnings of paths, that may be imported beside the zone itself. */
  readonly own: readonly string[];
  /** Packages, where they are limited. */
  readonly packages?: readonly string[];
}
const composition = ['src/app.module.ts', 'src/main.ts', 'service', 'cli'];
const readingHalf = [
  'EventLogReader',
  'LogEvent',
  'ReadOptions',
  'ReadAllOptions',
  'EventLogError',
  'StreamDeleted',
  'LogUnavailable',
  'LogDamaged',
];
const laws: Readonly<Record<string, Law>> = {
  kernel: { own: [], packages: ['zod', 'node:crypto'] },
  domain: { own: ['kernel'], packages: ['zod'] },
  projections: { own: ['kernel', 'events'], packages: ['zod'] },
  'event-log': { own: ['kernel'] },
  stores: { own: ['kernel'] },
  http: { own: ['kernel', 'stores'] },
  projector: { own: ['kernel', 'projections', 'event-log', 'stores'] },
  commands: { own: ['kernel', 'domain', 'event-log', 'http'] },
  queries: { own: ['kernel', 'projections', 'stores', 'http', 'reading half'] },
  metrics: { own: ['kernel', 'projections', 'stores', 'http', 'reading half'] },
  jobs: { own: ['kernel', 'domain', 'event-log', 'stores'] },
  simulator: { own: ['kernel'] },
  config: { own: [] },
  'src/config.ts': { own: ['config'] },
};

function isAllowed(law: Law, zone: string, { target, names }: Import): boolean {
  if (!target.startsWith('src/') && !target.startsWith('projections/')) {
    return law.packages === undefined || law.packages.includes(target);
  }
  const to = zoneOf(target);
  if (to === zone || law.own.includes(to)) return true;
  if (law.own.includes('events') && /^src\/domain\/(?:[a-z]+\/[a-z]+\.events|vocabulary)\.ts$/.test(target))
    return true;
  const isContract = target === 'src/event-log/event-log.ts';
  return law.own.includes('reading half') && isContract && names.every((name) => readingHalf.includes(name));
}

const lineOf = (tree: ts.SourceFile, node: ts.Node): number =>
  tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;

/** Places where `matches` holds, as `path:line`. */
function places(files: readonly SourceFile[], matches: (node: ts.Node) => boolean): string[] {
  return files.flatMap(({ path, tree }) => {
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (matches(node)) found.push(`${path}:${lineOf(tree, node)}`);
      ts.forEachChild(node, visit);
    };
    visit(tree);
    return found;
  });
}

function isMember(node: ts.Node, object: string, member: string): boolean {
  return ts.isPropertyAccessExpression(node) && node.name.text === member && node.expression.getText() === object;
}

describe('who may import whom', () => {
  it('every part of src has a law, or puts the parts together', () => {
    const zones = new Set(source.map(({ path }) => zoneOf(path)));
    expect([...zones].filter((zone) => !laws[zone] && !composition.includes(zone))).toEqual([]);
  });

  it.each(Object.entries(laws))('%s', (zone, law) => {
    const broken = source
      .filter(({ path }) => zoneOf(path) === zone)
      .flatMap(({ path, imports }) =>
        imports
          .filter((one) => !isAllowed(law, zone, one))
          .map(({ target, names }) => `${path} → ${target} {${names.join()}}`),
      );
    expect(broken).toEqual([]);
  });

  it.each([
    ['domain', 'src/stores/redis/open-redis.ts', []],
    ['domain', 'ioredis', []],
    ['kernel', 'src/domain/vocabulary.ts', []],
    ['projections', 'src/domain/share/share.decider.ts', []],
    ['projector', 'src/commands/lookups.ts', []],
    ['commands', 'src/queries/read-side.ts', []],
    ['queries', 'src/commands/lookups.ts', []],
    ['queries', 'src/event-log/event-log.ts', ['EventLog']],
    ['jobs', 'projections/timers.document.ts', []],
    ['simulator', 'src/domain/vocabulary.ts', []],
  ])('%s may not import %s', (zone, target, names) => {
    expect(isAllowed(laws[zone] as Law, zone, { target, names })).toBe(false);
  });

  it('the configuration is read where the parts are put together, and nowhere else', () => {
    const readers = source.filter(({ imports }) => imports.some(({ target }) => target === 'src/config.ts'));
    expect(readers.map(({ path }) => zoneOf(path)).filter((zone) => !composition.includes(zone))).toEqual([]);
  });

  it('the dashboard page knows the API only', () => {
    const broken = web.filter(({ imports }) =>
      imports.some(({ target }) => /^(?:src|projections|test)\//.test(target)),
    );
    expect(broken.map(({ path }) => path)).toEqual([]);
  });
});

describe('sizes', () => {
  it(`no file is longer than ${fileLinesMax} lines, no test than ${testFileLinesMax}`, () => {
    const lines = ({ text }: SourceFile) => text.split('\n').length - 1;
    const long = [
      ...[...source, ...web].filter((file) => lines(file) > fileLinesMax),
      ...tests.filter((file) => lines(file) > testFileLinesMax),
    ];
    expect(long.map((file) => `${file.path}: ${lines(file)}`)).toEqual([]);
  });

  it.each([
    ['function', functionLinesMax, [...source, ...web.filter(({ path }) => path.endsWith('.ts'))]],
    ['component', componentLinesMax, web.filter(({ path }) => path.endsWith('.tsx'))],
  ] as const)('no %s is longer than %d lines', (_, linesMax, files) => {
    const isLong = (node: ts.Node): boolean => {
      if (!ts.isFunctionLike(node)) return false;
      const tree = node.getSourceFile();
      return tree.getLineAndCharacterOfPosition(node.end).line - lineOf(tree, node) + 2 > linesMax;
    };
    expect(places(files, isLong)).toEqual([]);
  });

  it('no folder of drawers', () => {
    const drawers = [...source, ...tests, ...web].filter(({ path }) =>
      /(?:^|\/)(?:utils?|helpers?|common|misc)(?:\/|\.)/.test(path),
    );
    expect(drawers.map(({ path }) => path)).toEqual([]);
  });
});

describe('words without a place', () => {
  it('the environment is read by the configuration alone', () => {
    const others = source.filter(({ path }) => path !== 'src/config.ts');
    expect(places(others, (node) => isMember(node, 'process', 'env'))).toEqual([]);
  });

  it('no clock and no chance where the same must come of the same', () => {
    const pure = source.filter(({ path }) => ['kernel', 'domain', 'projections', 'simulator'].includes(zoneOf(path)));
    const impure = (node: ts.Node) =>
      isMember(node, 'Date', 'now') ||
      isMember(node, 'Math', 'random') ||
      isMember(node, 'performance', 'now') ||
      (ts.isIdentifier(node) && ['randomUUID', 'randomBytes', 'randomInt'].includes(node.text)) ||
      (ts.isNewExpression(node) && node.expression.getText() === 'Date');
    expect(places(pure, impure).filter((place) => !place.startsWith('src/kernel/clock.ts'))).toEqual([]);
  });

  it('no test that keeps the others from running', () => {
    const only = (node: ts.Node) =>
      ['it', 'test', 'describe', 'fit', 'fdescribe'].some((name) => isMember(node, name, 'only')) ||
      (ts.isIdentifier(node) && ['fit', 'fdescribe'].includes(node.text));
    expect(places(tests, only).filter((place) => !place.startsWith('test/tidy.spec.ts'))).toEqual([]);
  });

  it('nothing is left to do', () => {
    const words = ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].map((word) => new RegExp(`\\b${word}\\b`));
    const found = [...source, ...tests, ...web].filter(({ text }) => words.some((word) => word.test(text)));
    expect(found.map(({ path }) => path)).toEqual([]);
  });

  it('every name is exported by itself: no defaults, no barrels', () => {
    expect(places([...source, ...tests, ...web], ts.isExportAssignment)).toEqual([]);
    const isDefault = (node: ts.Node) => node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent);
    expect(places([...source, ...tests], isDefault)).toEqual([]);
    const isBarrel = ({ tree }: SourceFile) =>
      tree.statements.length > 0 && tree.statements.every(ts.isExportDeclaration);
    expect([...source, ...tests, ...web].filter(isBarrel).map(({ path }) => path)).toEqual([]);
  });

  it('a file opens by saying what it is for', () => {
    const silent = source.filter(({ text }) => !/^(?:#!.*\n)?(?:\/\/|\/\*)/.test(text));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });
});
