import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { offersFor, taskQuery } from '../../src/web/lib/commands.ts';
import { fuzzyFind, fuzzyScore } from '../../src/web/lib/fuzzy.ts';
import { GLOBAL_ACTS } from '../../src/web/lib/global-keys.ts';
import { KEY_GROUPS, keycaps } from '../../src/web/lib/key-table.ts';

/** The keys of a table in a source: what stands before each colon of `NAME … = { … }`. */
function keysOf(path: string, name: string): string[] {
  const source = readFileSync(new URL(`../../src/web/${path}`, import.meta.url), 'utf8');
  const table = new RegExp(`const ${name}\\b.*? = \\{\\n(.*?)\\n\\};`, 's').exec(source)?.[1] ?? '';
  return [...table.matchAll(/^ {2}(?:(['"])(.+?)\1|(\w+)):/gm)].map(([, , quoted, plain]) => quoted ?? plain ?? '');
}

function told(...titles: string[]): string[] {
  return KEY_GROUPS.filter(({ title }) => titles.includes(title)).flatMap(({ lines }) =>
    lines.flatMap(({ keys }) => keys),
  );
}

test('the help sheet names each key that is listened to, and no other', () => {
  // What is handled beside the tables: command keys, and fields that have Escape and Enter for themselves.
  const pairs = [
    [told('Everywhere'), [...Object.keys(GLOBAL_ACTS), 'Ctrl+k', 'Escape']],
    [told('Task list'), keysOf('lib/list-keys.ts', 'ACTS').filter((key) => key !== '/' && key !== 'Escape')],
    [
      told('Log', 'Log: find and take along'),
      [
        ...keysOf('parts/LogKeys.svelte', 'KEYS')
          .filter((key) => key !== '/' && key !== 'Escape')
          .map((key) => (key === 'gg' ? 'g g' : key)),
        ...['1', '2', '3', '4', 'Ctrl+f', 'Alt+Enter'],
      ],
    ],
  ] as const;
  for (const [shown, handled] of pairs) {
    assert.ok(handled.length > 6);
    assert.deepEqual([...new Set(shown)].sort(), [...new Set(handled)].sort());
  }
});

test('a key is told by its keycaps', () => {
  assert.deepEqual(keycaps('g ,'), ['g', ',']);
  assert.deepEqual(keycaps('Ctrl+k'), ['Ctrl', 'K']);
  assert.deepEqual(keycaps('X'), ['Shift', 'X']);
  assert.deepEqual(keycaps(' '), ['Space']);
  assert.deepEqual(keycaps("'"), ["'"]);
});

test('a few letters find what is meant, the nearest first', () => {
  const names = ['deploy to staging', 'fix the login test', 'Login page', 'nightly eval', 'catalog'];
  const find = (typed: string) => fuzzyFind(typed, names, { text: (name) => name, most: 3 });
  assert.deepEqual(find('log'), ['Login page', 'fix the login test', 'catalog']);
  assert.deepEqual(find('nev'), ['nightly eval']);
  assert.deepEqual(find('flt'), ['fix the login test']);
  assert.deepEqual(find(''), names.slice(0, 3));
  assert.equal(fuzzyScore('zzz', 'nightly eval'), null);
  assert.equal(fuzzyScore('sgg', 'deploy to staging'), null);
});

test('the palette offers tasks, actions, an id as it was typed, and a search', () => {
  const command = (id: string, text: string) => ({ id, text, about: '', run: () => undefined });
  const sources = {
    actions: [command('help', 'Keyboard help'), command('tasks', 'Go to tasks')],
    tasks: [command('task-run-7', 'nightly')],
    goTo: (taskId: string) => command(`task-${taskId}`, taskId),
    search: (text: string) => command('search', text),
  };
  const ids = (typed: string) =>
    offersFor(typed, sources).map(({ title, commands }) => [title, commands.map(({ id }) => id)]);
  assert.deepEqual(ids(''), [
    ['Recent tasks', ['task-run-7']],
    ['Actions', ['help', 'tasks']],
  ]);
  assert.deepEqual(ids('keyb'), [
    ['Actions', ['help']],
    ['Elsewhere', ['search']],
  ]);
  assert.deepEqual(ids('run-99'), [['Elsewhere', ['task-run-99', 'search']]]);
  assert.deepEqual(ids('../etc'), [['Elsewhere', ['search']]]);
  assert.equal(taskQuery(' say "hi\\" '), '"say \\"hi\\\\\\""');
});
