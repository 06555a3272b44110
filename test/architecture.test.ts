import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeOnly, findCircle, importsOf, type SourceFile, sourceFiles } from './support/source.ts';

/** Who may import whom. Every room may import itself; `CONTRIBUTING.md` shows the same table to people. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  capture: ['core'],
  agents: ['core'],
  intake: ['core'],
  store: ['core'],
  live: ['core'],
  query: ['core'],
  client: ['core', 'query'],
  task: ['core', 'capture', 'agents', 'intake', 'live'],
  plugins: ['core', 'capture', 'task'],
  inlet: ['core', 'task'],
  outlet: ['core', 'live'],
  server: ['core', 'query', 'intake', 'live', 'task', 'inlet'],
  pino: ['core', 'client'],
  web: ['core', 'query', 'client'],
  trail: [
    'core',
    'capture',
    'agents',
    'intake',
    'store',
    'live',
    'query',
    'client',
    'task',
    'plugins',
    'inlet',
    'outlet',
    'pino',
  ],
  cli: [
    'core',
    'capture',
    'agents',
    'intake',
    'store',
    'live',
    'query',
    'client',
    'task',
    'plugins',
    'inlet',
    'outlet',
    'pino',
    'trail',
    'server',
    'web',
  ],
};
const LINES_MAX = 300;
/** Files that may be longer, each with its reason. */
const LONGER: Readonly<Record<string, string>> = {};
/** Files besides `cli/config.ts` that may read the environment, each with its reason. */
const READS_ENV: Readonly<Record<string, string>> = {};

type Rule = (file: SourceFile) => readonly string[];

const RULES: Readonly<Record<string, Rule>> = {
  'imports only what the table allows': (file) => {
    const room = roomOf(file.path);
    const allowed = MAY_IMPORT[room];
    if (allowed === undefined) return [`${file.path} is in no known room`];
    return importsOf(file)
      .flatMap(({ target }) => target ?? [])
      .filter((target) => roomOf(target) !== room && !allowed.includes(roomOf(target)))
      .map((target) => `${file.path} imports ${target}`);
  },
  'imports no index.ts of its own room': (file) =>
    importsOf(file)
      .flatMap(({ target }) => target ?? [])
      .filter((target) => target === `${roomOf(file.path)}/index.ts`)
      .map((target) => `${file.path} imports ${target}`),
  [`has at most ${LINES_MAX} lines, or a reason`]: (file) => {
    const lines = file.text.split('\n').length - 1;
    return lines <= LINES_MAX || file.path in LONGER ? [] : [`${file.path} has ${lines} lines`];
  },
  'reads the environment only in cli/config.ts': (file) =>
    file.path === 'cli/config.ts' || file.path in READS_ENV ? [] : found(file, /\bprocess\s*\.\s*env\b/),
  'prints or exits only in cli/': (file) =>
    roomOf(file.path) === 'cli' ? [] : found(file, /\bconsole\s*\.|\bprocess\s*\.\s*(exit|exitCode|stdout|stderr)\b/),
  'does not use any': (file) =>
    found(file, /(:\s*|<\s*|\bas\s+|\bextends\s+|[|&]\s*|,\s*)any\b(?=\s*([;,)>=|&[\]{}]|$))/),
};

describe('our own source', () => {
  const files = sourceFiles(fileURLToPath(new URL('../src', import.meta.url)));

  test('is found', () => assert.ok(files.some((file) => file.path === 'core/entry.ts')));

  for (const [name, rule] of Object.entries(RULES)) {
    test(`each file ${name}`, () => assert.deepEqual(files.flatMap(rule), []));
  }

  test('has no circle of imports, types included', () => assert.equal(findCircle(files)?.join(' → ') ?? null, null));

  test('has no exception that is not needed any more', () => {
    const paths = new Set(files.map((file) => file.path));
    assert.deepEqual(
      [...Object.keys(LONGER), ...Object.keys(READS_ENV)].filter((path) => !paths.has(path)),
      [],
    );
  });
});

describe('the rules themselves', () => {
  const caught = (rule: string, path: string, text: string) => {
    const check = RULES[rule];
    assert.ok(check, `there is no rule "${rule}"`);
    return check({ path, text }).length > 0;
  };

  test('catch an import that the table forbids, in every way of writing it', () => {
    const forbidden = [
      `import { open } from '../store/sqlite/store.ts';`,
      `import type { Store } from "../store/sqlite/store.ts";`,
      `import {\n  open,\n  close,\n} from '../store/sqlite/store.ts';`,
      `import '../store/sqlite/store.ts';`,
      `export { open } from '../store/sqlite/store.ts';`,
      `export * from '../store/sqlite/store.ts';`,
      `const store = await import('../store/sqlite/store.ts');`,
      `type Store = import('../store/sqlite/store.ts').Store;`,
      `new Worker(new URL('../store/sqlite/thread.ts', import.meta.url));`,
      `const one = 1; import { open } from '../store/sqlite/store.ts';`,
      `<script lang="ts">import { open } from '../store/sqlite/store.ts';</script>`,
    ];
    const rule = 'imports only what the table allows';
    for (const text of forbidden) assert.ok(caught(rule, 'server/app.ts', text), text);
    assert.ok(caught(rule, 'web/App.svelte', `<script>\n  import x from '../server/app.ts';\n</script>`));
    assert.ok(caught(rule, 'attic/thing.ts', ''), 'a room without a row in the table');
  });

  test('let through what the table allows, packages, comments and texts', () => {
    const allowed = [
      `import { parseFilter } from '../query/filter.ts';`,
      `import { route } from './routes/tasks.ts';`,
      `import Fastify from 'fastify';`,
      `// import { open } from '../store/sqlite/store.ts';`,
      `/* import { open } from '../store/sqlite/store.ts'; */`,
    ];
    for (const text of allowed) assert.ok(!caught('imports only what the table allows', 'server/app.ts', text), text);
  });

  test('catch the front door of the own room, and only that', () => {
    const rule = 'imports no index.ts of its own room';
    assert.ok(caught(rule, 'client/follow.ts', `import { connect } from './index.ts';`));
    assert.ok(caught(rule, 'client/deep/follow.ts', `import { connect } from '../index.ts';`));
    assert.ok(!caught(rule, 'cli/main.ts', `import { connect } from '../client/index.ts';`));
  });

  test('catch a file of 301 lines and let one of 300 through', () => {
    const rule = `has at most ${LINES_MAX} lines, or a reason`;
    assert.ok(caught(rule, 'core/a.ts', 'x\n'.repeat(301)));
    assert.ok(!caught(rule, 'core/a.ts', 'x\n'.repeat(300)));
  });

  test('catch the environment, printing and exiting in code, not in texts and comments', () => {
    assert.ok(caught('reads the environment only in cli/config.ts', 'cli/serve.ts', 'const home = process.env.HOME;'));
    assert.ok(
      !caught('reads the environment only in cli/config.ts', 'cli/config.ts', 'const home = process.env.HOME;'),
    );
    for (const text of ['console.log(1);', 'process.exit(1);', 'process.stdout.write(line);']) {
      assert.ok(caught('prints or exits only in cli/', 'server/app.ts', text), text);
      assert.ok(!caught('prints or exits only in cli/', 'cli/main.ts', text), text);
      assert.ok(!caught('prints or exits only in cli/', 'server/app.ts', `// ${text}`), text);
      assert.ok(!caught('prints or exits only in cli/', 'server/app.ts', `const text = '${text}';`), text);
    }
  });

  test('catch any as a type, not as a word', () => {
    const rule = 'does not use any';
    for (const text of [
      'let a: any;',
      'x as any',
      'Array<any>',
      'f(a: any, b)',
      'type A = B | any;',
      'Record<string, any>',
    ]) {
      assert.ok(caught(rule, 'core/a.ts', text), text);
    }
    for (const text of ['// at any time', `throw new Error('not any of them');`, 'const anyone = 1;']) {
      assert.ok(!caught(rule, 'core/a.ts', text), text);
    }
  });

  test('find a circle, types included, and none where there is none', () => {
    const a = { path: 'core/a.ts', text: `import type { B } from './b.ts';` };
    const b = { path: 'core/b.ts', text: `import { c } from './c.ts';` };
    const c = { path: 'core/c.ts', text: '' };
    assert.equal(findCircle([a, b, c]), null);
    assert.deepEqual(findCircle([a, b, { ...c, text: `export * from './a.ts';` }]), [
      'core/a.ts',
      'core/b.ts',
      'core/c.ts',
      'core/a.ts',
    ]);
  });

  test('let a component import itself, and nothing else', () => {
    const tree = { path: 'web/parts/Tree.svelte', text: `<script>\nimport Tree from './Tree.svelte';\n</script>` };
    assert.equal(findCircle([tree]), null);
    assert.notEqual(findCircle([{ path: 'core/a.ts', text: `import { a } from './a.ts';` }]), null);
    const leaf = { path: 'web/parts/Leaf.svelte', text: `<script>\nimport Tree from './Tree.svelte';\n</script>` };
    const both = { ...tree, text: `${tree.text}<script>\nimport Leaf from './Leaf.svelte';\n</script>` };
    assert.notEqual(findCircle([both, leaf]), null);
  });
});

function roomOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function found(file: SourceFile, pattern: RegExp): string[] {
  return codeOnly(file.text)
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1} ${line.trim()}`] : []));
}
